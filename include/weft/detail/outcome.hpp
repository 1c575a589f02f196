// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the return of a function means to who collects it (a join, a group, with_timeout): a value or an
// error. No promises about this header.

#include <weft/result.hpp>

#include <concepts>
#include <system_error>
#include <utility>

namespace weft::detail {

/// A value is one; a Result is what it says; an error code, or an enum of such, is no value but says how it
/// went: zero is success.
template <class T>
struct Outcome {
  using Value = T;
  static constexpr bool kMayFail = false;
  static Result<T> of(T&& value) { return Result<T>(std::move(value)); }
};

template <>
struct Outcome<void> {
  using Value = void;
  static constexpr bool kMayFail = false;
};

template <class T>
struct Outcome<Result<T>> {
  using Value = T;
  static constexpr bool kMayFail = true;
  static Result<T> of(Result<T>&& result) { return std::move(result); }
};

/// Of a sleep.
template <std::derived_from<Result<void>> T>
struct Outcome<T> : Outcome<Result<void>> {};

template <>
struct Outcome<std::error_code> {
  using Value = void;
  static constexpr bool kMayFail = true;
  static Result<void> of(std::error_code error) noexcept {
    return error ? Result<void>(error) : Result<void>();
  }
};

template <ErrorEnum E>
struct Outcome<E> {
  using Value = void;
  static constexpr bool kMayFail = true;
  static Result<void> of(E error) noexcept { return Outcome<std::error_code>::of(make_error_code(error)); }
};

}  // namespace weft::detail
