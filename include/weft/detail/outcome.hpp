// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a join, a group or with_timeout() reads the result of a function: as a value or as an error. Internal:
// this header may change at any time.

#include <weft/result.hpp>

#include <concepts>
#include <cstddef>
#include <system_error>
#include <utility>

namespace weft::detail {

/// A plain value is a value. A Result and a Progress are a value or an error. An error code, or an error
/// enum, has no value: zero is success.
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

/// The result of a sleep.
template <std::derived_from<Result<void>> T>
struct Outcome<T> : Outcome<Result<void>> {};

/// The result of a call that moves a whole buffer (`io::Progress`): the number of bytes, or the error.
template <class T>
concept ProgressLike = !kIsResult<T> && requires(const T& progress) {
  { progress.bytes() } -> std::same_as<std::size_t>;
  { progress.failure() } -> std::same_as<Failure>;
  { progress.has_value() } -> std::same_as<bool>;
};

template <ProgressLike T>
struct Outcome<T> {
  using Value = std::size_t;
  static constexpr bool kMayFail = true;
  static Result<std::size_t> of(const T& progress) {
    if (!progress.has_value()) return progress.failure();
    return progress.bytes();
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
