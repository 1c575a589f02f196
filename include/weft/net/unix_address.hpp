// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace weft::net {

/// Where a Unix socket is: a path in the file system, a name in the kernel's abstract space, or nowhere (a
/// client's own end, a pair). A value type; the default is unnamed. No function suspends.
class UnixAddress {
 public:
  /// What the kernel takes: bytes of a path, or of an abstract name.
  static constexpr std::size_t kSizeMax = 107;

  UnixAddress() noexcept = default;

  /// Errc::invalid_address if it is empty, longer than kSizeMax, or contains NUL. A relative path is one of
  /// the working directory at the time of the call that uses it.
  static Result<UnixAddress> path(std::string_view path);
  /// A name that no file stands for and that vanishes with its socket: any bytes, at most kSizeMax, not
  /// empty. Every process of the network namespace can use it.
  static Result<UnixAddress> abstract(std::string_view name);
  /// "@name" is abstract; anything else is a path ("./@name" for a file of that name).
  static Result<UnixAddress> parse(std::string_view text);

  bool is_unnamed() const noexcept { return name_.empty(); }
  bool is_abstract() const noexcept { return abstract_; }
  bool is_path() const noexcept { return !name_.empty() && !abstract_; }
  /// The path or the abstract name, without a mark; empty if unnamed.
  std::string_view name() const noexcept { return name_; }

  /// "/run/app.sock", "@name", "unnamed". Control characters of a name are written as \xNN.
  std::string to_string() const;

  friend auto operator<=>(const UnixAddress&, const UnixAddress&) noexcept = default;

 private:
  UnixAddress(bool abstract, std::string_view name) : abstract_(abstract), name_(name) {}

  bool abstract_ = false;
  std::string name_;
};

}  // namespace weft::net
