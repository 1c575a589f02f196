// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/http/query.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weft::http {

/// The values of the named parts of a route's pattern (`/users/:id`, `/files/*path`) in a request's path.
///
/// A view into the request's path and the router's names. There are at most `kCapacity` parts; the router
/// refuses patterns with more.
class PathParameters {
 public:
  static constexpr std::size_t kCapacity = 8;

  PathParameters() noexcept {}  // NOLINT: the entries behind size_ stay raw

  /// The value as it was sent, percent-encoded; empty if the pattern has no such name.
  std::string_view raw(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
      if (entries_[i].name() == name) return entries_[i].value();
    }
    return {};
  }

  /// The value, percent-decoded; `nullopt` if the pattern has no such name or the encoding is malformed.
  std::optional<std::string> get(std::string_view name) const {
    const std::string_view value = raw(name);
    return value.data() == nullptr ? std::nullopt : percent_decode(value);
  }

  std::size_t size() const noexcept { return size_; }

  // For the router.
  void push(std::string_view value) noexcept { entries_[size_++] = {"", value.data(), 0, value.size()}; }
  void set_name(std::size_t index, std::string_view name) noexcept {
    entries_[index].name_data = name.data();
    entries_[index].name_size = name.size();
  }
  void truncate(std::size_t size) noexcept { size_ = size; }

 private:
  struct Entry {
    const char* name_data;
    const char* value_data;
    std::size_t name_size;
    std::size_t value_size;
    std::string_view name() const noexcept { return {name_data, name_size}; }
    std::string_view value() const noexcept { return {value_data, value_size}; }
  };

  std::size_t size_ = 0;
  std::array<Entry, kCapacity> entries_;
};

}  // namespace weft::http
