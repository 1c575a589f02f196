// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/name_cache.hpp"

namespace weft::net {

std::optional<NameAnswer> NameCache::find(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  if (found->second.expires.passed()) {
    remove(key);
    return {};
  }
  return found->second.answer;
}

void NameCache::keep(const std::string& key, const NameAnswer& answer) {
  if (size_max_ == 0 || answer.ttl.count() <= 0) return;
  remove(key);
  while (entries_.size() >= size_max_) remove(std::string(by_expiry_.begin()->second));
  const Deadline expires = Deadline::after(answer.ttl);
  entries_.emplace(key, Entry{answer, expires});
  by_expiry_.emplace(expires, key);
}

void NameCache::clear() noexcept {
  entries_.clear();
  by_expiry_.clear();
}

void NameCache::remove(const std::string& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  by_expiry_.erase({found->second.expires, key});
  entries_.erase(found);
}

}  // namespace weft::net
