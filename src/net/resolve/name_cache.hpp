// SPDX-License-Identifier: Apache-2.0
#pragma once

// Answers that may still be used, by their question. Not thread-safe.

#include "net/resolve/name_question.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace weft::net {

class NameCache {
 public:
  explicit NameCache(std::size_t size_max) : size_max_(size_max) {}

  std::optional<NameAnswer> find(const std::string& key);
  /// Takes the place of what would expire first, if there is no room. Answers that must not be kept are not.
  void keep(const std::string& key, const NameAnswer& answer);
  void clear() noexcept;
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    NameAnswer answer;
    Deadline expires;
  };
  void remove(const std::string& key);

  const std::size_t size_max_;
  std::unordered_map<std::string, Entry> entries_;
  std::set<std::pair<Deadline, std::string>> by_expiry_;  // the same entries
};

}  // namespace weft::net
