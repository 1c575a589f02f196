// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/failure.hpp>
#include <weft/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

template <class T>
class Result;

namespace detail {

/// Storage of a `Result<T>`. A null category means that it holds a value.
///
/// With a trivial `T` of at most eight bytes the whole object fits two registers: a `Result<std::size_t>` is
/// returned without touching memory.
template <class T, bool trivial = std::is_trivially_copyable_v<T>&& std::is_trivially_destructible_v<T>>
class ResultStorage {
 public:
  explicit ResultStorage(T&& value) : value_(std::move(value)) {}
  explicit ResultStorage(const T& value) : value_(value) {}
  explicit ResultStorage(const Failure& failure) noexcept
      : failed_{failure.error.value(), failure.text}, category_(&failure.error.category()) {}

  bool has_value() const noexcept { return category_ == nullptr; }
  T& value() noexcept { return value_; }
  const T& value() const noexcept { return value_; }
  Failure failure() const noexcept { return {{failed_.value, *category_}, failed_.text}; }

 private:
  struct Failed {
    int value;
    std::uint32_t text;
  };
  union {
    T value_;
    Failed failed_;
  };
  const std::error_category* category_ = nullptr;
};

template <class T>
class ResultStorage<T, false> {
 public:
  explicit ResultStorage(T&& value) : value_(std::move(value)) {}
  explicit ResultStorage(const T& value) : value_(value) {}
  explicit ResultStorage(const Failure& failure) noexcept
      : error_value_(failure.error.value()), text_(failure.text), category_(&failure.error.category()) {}

  bool has_value() const noexcept { return value_.has_value(); }
  T& value() noexcept { return *value_; }
  const T& value() const noexcept { return *value_; }
  Failure failure() const noexcept { return {{error_value_, *category_}, text_}; }

 private:
  std::optional<T> value_;
  int error_value_ = 0;
  std::uint32_t text_ = 0;
  const std::error_category* category_ = nullptr;
};

template <class E>
concept ErrorEnum = std::is_error_code_enum_v<E>;

template <class U>
inline constexpr bool kIsResult = false;
template <class U>
inline constexpr bool kIsResult<Result<U>> = true;

/// Types that convert to the value of a `Result<T>`. Other results do not, because their error would be lost;
/// only a Result of results takes a result, of exactly its value type.
template <class U, class T>
concept BecomesValue =
    !std::is_same_v<std::remove_cvref_t<U>, Result<T>> &&
    !std::is_same_v<std::remove_cvref_t<U>, std::error_code> &&
    !std::is_same_v<std::remove_cvref_t<U>, Failure> && !ErrorEnum<std::remove_cvref_t<U>> &&
    (!kIsResult<std::remove_cvref_t<U>> ||
     std::is_same_v<std::remove_cvref_t<U>, T>)&&std::is_convertible_v<U, T>;

}  // namespace detail

/// A value, or the `std::error_code` that says why there is none.
///
/// Construction: implicit from everything that converts implicitly to the value, from an error code, and from
/// an error enum such as `Errc`. A `Result` of another type does not convert, because its error would be
/// lost. Types that convert to the value only explicitly do not convert either, for example those with an
/// explicit `operator bool`. Making a `Result` from a zero error code is a bug of the caller.
///
/// Access: `value()` throws `std::system_error` if there is no value. Its text names the address if the error
/// is about one. In a program without exceptions `value()` ends the program with that text, as a BUG.
/// `operator*` and `operator->` require a value. `error()` is the zero code if there is a value. On a
/// temporary result `value()` and `operator*` return the value itself, not a reference, so that a range-for
/// over `f().value()` is safe.
///
/// Not thread-safe. A result that was moved from still holds a (moved-from) value.
///
///     weft::Result<std::size_t> n = stream.read_some(buffer);
///     if (!n) return n.error();
template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_reference_v<T> && !std::is_same_v<std::remove_cv_t<T>, std::error_code>);

 public:
  using value_type = T;

  template <detail::BecomesValue<T> U = T>
  Result(U&& value) : storage_(T(std::forward<U>(value))) {}  // NOLINT(google-explicit-constructor)
  Result(std::error_code error) noexcept : storage_(detail::Failure{error}) {}
  template <detail::ErrorEnum E>
  Result(E error) noexcept : storage_(detail::Failure{make_error_code(error)}) {}
  Result(const detail::Failure& failure) noexcept : storage_(detail::require_error(failure)) {}

  bool has_value() const noexcept { return storage_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  T& operator*() & noexcept { return storage_.value(); }
  const T& operator*() const& noexcept { return storage_.value(); }
  T operator*() && noexcept(std::is_nothrow_move_constructible_v<T>) { return std::move(storage_.value()); }
  T* operator->() noexcept { return __builtin_addressof(storage_.value()); }
  const T* operator->() const noexcept { return __builtin_addressof(storage_.value()); }

  T& value() & { return throw_unless_value(), storage_.value(); }
  const T& value() const& { return throw_unless_value(), storage_.value(); }
  T value() && { return throw_unless_value(), std::move(storage_.value()); }

  std::error_code error() const noexcept {
    return has_value() ? std::error_code() : storage_.failure().error;
  }
  /// The error as text, with the address if the error is about one: "connecting to 127.0.0.1:80: Connection
  /// refused". Empty if there is a value.
  std::string message() const { return has_value() ? std::string() : detail::message_of(storage_.failure()); }
  /// The error together with its text, for returning it as a Result of another type. If there is a value,
  /// making a Result from it is a BUG.
  detail::Failure failure() const noexcept { return has_value() ? detail::Failure() : storage_.failure(); }

  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? storage_.value() : static_cast<T>(std::forward<U>(other));
  }
  template <class U>
  T value_or(U&& other) && {
    return has_value() ? std::move(storage_.value()) : static_cast<T>(std::forward<U>(other));
  }

 private:
  void throw_unless_value() const {
    if (!has_value()) [[unlikely]]
      detail::no_value(storage_.failure());
  }

  detail::ResultStorage<T> storage_;
};

/// Success, or the `std::error_code` that says why it failed.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() noexcept = default;
  Result(std::error_code error) noexcept : value_(error.value()), category_(&error.category()) {}
  template <detail::ErrorEnum E>
  Result(E error) noexcept : Result(make_error_code(error)) {}
  Result(const detail::Failure& failure) noexcept
      : value_(detail::require_error(failure).error.value()),
        text_(failure.text),
        category_(&failure.error.category()) {}

  bool has_value() const noexcept { return category_ == nullptr; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (!has_value()) [[unlikely]]
      detail::no_value(failure());
  }
  std::error_code error() const noexcept {
    return has_value() ? std::error_code() : std::error_code(value_, *category_);
  }
  /// Like those of Result<T>.
  std::string message() const { return has_value() ? std::string() : detail::message_of(failure()); }
  detail::Failure failure() const noexcept { return {error(), text_}; }

 private:
  int value_ = 0;
  std::uint32_t text_ = 0;
  const std::error_category* category_ = nullptr;
};

}  // namespace weft
