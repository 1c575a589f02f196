// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::http {

/// The request methods: those of RFC 9110, PATCH, and the registered WebDAV methods.
///
/// A program adds methods of its own with `register_method()`. The server answers any other method with 501
/// before a handler sees it. The numbers are those of the parser and have no other meaning. They are below
/// 64, so that a `MethodSet` fits one word.
enum class Method : std::uint8_t {
  del = 0,  ///< DELETE (`delete` is a keyword)
  get = 1,
  head = 2,
  post = 3,
  put = 4,
  connect = 5,
  options = 6,
  trace = 7,
  copy = 8,
  lock = 9,
  mkcol = 10,
  move = 11,
  propfind = 12,
  proppatch = 13,
  search = 14,
  unlock = 15,
  bind = 16,
  rebind = 17,
  unbind = 18,
  acl = 19,
  report = 20,
  mkactivity = 21,
  checkout = 22,
  merge = 23,
  msearch = 24,
  notify = 25,
  subscribe = 26,
  unsubscribe = 27,
  patch = 28,
  purge = 29,
  mkcalendar = 30,
  link = 31,
  unlink = 32,
  source = 33,
};

/// The number of methods in the enumeration.
inline constexpr std::size_t kMethodCount = 34;
/// The number of methods that a program can add.
inline constexpr std::size_t kRegisteredMethodsMax = 30;
/// The longest name of a method that a program adds.
inline constexpr std::size_t kMethodNameSizeMax = 32;

/// The name of the method in a request line: "GET". Empty for a number without a method.
std::string_view to_string(Method method) noexcept;

/// The method with that exact (case-sensitive) name: one of the enumeration, or a registered one.
std::optional<Method> method_from(std::string_view name) noexcept;

/// Returns the method with that exact (case-sensitive) name, and registers it with the process if it is new.
/// From then on the servers of the process accept requests with it.
///
///     server.route(http::register_method("BREW"), "/pots/:id", brew);
///
/// Throws `std::invalid_argument` if the name is not a token of RFC 9110 or is longer than
/// `kMethodNameSizeMax`, and `std::length_error` if `kRegisteredMethodsMax` methods were added already. Does
/// not suspend. Any thread may call it at any time.
Method register_method(std::string_view name);

/// A set of methods, for routes and the `Allow` header. A value type.
class MethodSet {
 public:
  constexpr MethodSet() noexcept = default;

  constexpr void insert(Method method) noexcept { bits_ |= bit(method); }
  constexpr void insert_all(MethodSet methods) noexcept { bits_ |= methods.bits_; }
  constexpr bool contains(Method method) const noexcept { return (bits_ & bit(method)) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  constexpr std::uint64_t bits() const noexcept { return bits_; }

  friend constexpr bool operator==(MethodSet, MethodSet) noexcept = default;

 private:
  static constexpr std::uint64_t bit(Method method) noexcept {
    return std::uint64_t{1} << static_cast<unsigned>(method);
  }

  std::uint64_t bits_ = 0;
};

}  // namespace weft::http
