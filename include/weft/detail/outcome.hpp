// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the return of a function means to who collects it (a join, a group, with_timeout): a value or an
// error. No promises about this header.

#include <weft/result.hpp>

#include <concepts>
#include <cstddef>
#include <system_error>
#include <utility>

namespace weft::detail {

/// A value is one; a Result is what it says, a Transfer too; an error code, or an enum of such, is no value
/// but says how it went: zero is success.
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

/// Of a call that moves a whole buffer (`net::Transfer`): how many bytes, or why not all of them.
template <class T>
concept WholeTransfer = !kIsResult<T> && requires(const T& transfer) {
  { transfer.bytes() } -> std::same_as<std::size_t>;
  { transfer.failure() } -> std::same_as<Failure>;
  { transfer.has_value() } -> std::same_as<bool>;
};

template <WholeTransfer T>
struct Outcome<T> {
  using Value = std::size_t;
  static constexpr bool kMayFail = true;
  static Result<std::size_t> of(const T& transfer) {
    if (!transfer.has_value()) return transfer.failure();
    return transfer.bytes();
  }
};

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
