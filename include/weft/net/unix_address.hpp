// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace weft::net {

/// The address of a Unix socket: a path in the file system, an abstract name, or unnamed (the end of a
/// client, a pair). A value type; the default is unnamed. No function suspends.
class UnixAddress {
 public:
  /// The greatest size of a path or an abstract name, in bytes.
  static constexpr std::size_t kSizeMax = 107;

  UnixAddress() noexcept = default;

  /// A path. Errc::invalid_address if it is empty, longer than kSizeMax, or contains NUL. A relative path
  /// refers to the working directory at the time of the call that uses it.
  static Result<UnixAddress> path(std::string_view path);
  /// An abstract name: it has no file, and vanishes with its socket. Any bytes are allowed. Every process of
  /// the network namespace can use it. Errc::invalid_address if it is empty or longer than kSizeMax.
  static Result<UnixAddress> abstract(std::string_view name);
  /// Parses "@name" as an abstract name and any other text as a path ("./@name" is a file of that name).
  static Result<UnixAddress> parse(std::string_view text);

  bool is_unnamed() const noexcept { return name_.empty(); }
  bool is_abstract() const noexcept { return abstract_; }
  bool is_path() const noexcept { return !name_.empty() && !abstract_; }
  /// The path, or the abstract name without the "@"; empty if unnamed.
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
