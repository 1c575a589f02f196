// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::http {

/// ASCII case-insensitive equality. Header names and most tokens of HTTP are compared like this.
bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// One header line of a received message: views into the connection's read buffer.
///
/// The value has no white space around it. The type is trivial: a table of headers costs nothing until it is
/// written to.
struct Header {
  const char* name_data;
  const char* value_data;
  std::uint32_t name_size;
  std::uint32_t value_size;

  std::string_view name() const noexcept { return {name_data, name_size}; }
  std::string_view value() const noexcept { return {value_data, value_size}; }
};

/// The headers of a received message, in the order of the message, duplicates included.
///
/// A view: copying it copies no header. It is valid as long as its message (for a request: until its handler
/// returns). Lookup is a linear scan that ignores case; at the size of real messages it is faster than a hash
/// table. Nothing here allocates or fails.
///
///     if (auto agent = request.headers().find("User-Agent")) log(*agent);
///     for (const Header& header : request.headers()) ...
class Headers {
 public:
  constexpr Headers() noexcept = default;
  constexpr Headers(const Header* first, std::size_t count) noexcept : first_(first), count_(count) {}

  constexpr const Header* begin() const noexcept { return first_; }
  constexpr const Header* end() const noexcept { return first_ + count_; }
  constexpr std::size_t size() const noexcept { return count_; }
  constexpr bool empty() const noexcept { return count_ == 0; }
  constexpr const Header& operator[](std::size_t index) const noexcept { return first_[index]; }

  /// The value of the first header with that name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  /// The same, or `fallback`.
  std::string_view get(std::string_view name, std::string_view fallback = {}) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  /// The number of headers with that name.
  std::size_t count(std::string_view name) const noexcept;
  /// True if a header with that name has `token` in its comma-separated list (`Connection: keep-alive,
  /// Upgrade`). Both ignore case.
  bool has_token(std::string_view name, std::string_view token) const noexcept;

  /// Calls `f(value)` for each header with that name, in order.
  template <class F>
  void for_each(std::string_view name, F&& f) const {
    for (const Header& header : *this) {
      if (equals_ignoring_case(header.name(), name)) f(header.value());
    }
  }

 private:
  const Header* first_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace weft::http
