// SPDX-License-Identifier: Apache-2.0
#include "model/explorer/memory.hpp"

#include <algorithm>
#include <cstring>

namespace weft::model {

void Memory::reset() noexcept {
  count_ = 0;
  buckets_.fill(kNoLocation);
  sc_ = {};
  names_.clear();
}

LocationIndex Memory::find(const void* address) const noexcept {
  for (std::size_t bucket = bucket_of(address); buckets_[bucket] != kNoLocation;
       bucket = (bucket + 1) % kBuckets) {
    if (locations_[buckets_[bucket]].address == address) return buckets_[bucket];
  }
  return kNoLocation;
}

LocationIndex Memory::find_or_add(void* address, unsigned size) {
  if (const LocationIndex known = find(address); known != kNoLocation) return known;
  if (count_ == kLocationsMax) return kNoLocation;
  if (count_ == locations_.size()) locations_.emplace_back();
  Location& location = locations_[count_];
  location.address = static_cast<std::byte*>(address);
  location.size = size;
  location.ended = false;
  location.stores.clear();
  location.stores.emplace_back();
  std::memcpy(&location.stores[0].value, address, size);
  location.holder = -1;
  location.released = {};
  location.waiters.clear();
  std::size_t bucket = bucket_of(address);
  while (buckets_[bucket] != kNoLocation) bucket = (bucket + 1) % kBuckets;
  buckets_[bucket] = static_cast<LocationIndex>(count_);
  return static_cast<LocationIndex>(count_++);
}

// The old object's history is over, but views still number its stores: the new object's life begins with a
// location of its own. The address leads there from now on.
void Memory::begin_life(void* address) noexcept {
  const LocationIndex old = find(address);
  if (old == kNoLocation) return;
  static std::byte nowhere{};
  locations_[old].address = &nowhere;  // keeps its bucket, so that others are still found behind it
}

std::uint16_t Memory::oldest_readable(const Knowledge& knowledge, LocationIndex location,
                                      std::memory_order order) const noexcept {
  const std::uint16_t known = knowledge.current.seen[location];
  return is_sc(order) ? std::max(known, sc_[location]) : known;
}

void Memory::read(Knowledge& knowledge, LocationIndex location, std::uint16_t index,
                  std::memory_order order) noexcept {
  const Store& store = locations_[location].stores[index];
  std::uint16_t& known = knowledge.current.seen[location];
  known = std::max(known, index);
  knowledge.acquirable.join(store.message);
  knowledge.acquirable.seen[location] = std::max(knowledge.acquirable.seen[location], index);
  if (acquires(order)) knowledge.current.join(store.message);
  // No later seq_cst operation reads what comes before it.
  if (is_sc(order)) sc_[location] = std::max(sc_[location], index);
}

void Memory::write(Knowledge& knowledge, LocationIndex location, std::uint64_t value, std::memory_order order,
                   int event, bool continues) {
  std::vector<Store>& stores = locations_[location].stores;
  const auto index = static_cast<std::uint16_t>(stores.size());
  knowledge.current.seen[location] = index;
  knowledge.acquirable.seen[location] = index;
  Store& store = stores.emplace_back();
  store.value = value;
  store.event = event;
  store.message = releases(order) ? knowledge.current : knowledge.fenced;
  store.message.seen[location] = index;
  if (continues) store.message.join(stores[index - 1u].message);  // the release sequence goes on
  if (is_sc(order)) sc_[location] = index;
  std::memcpy(locations_[location].address, &value, locations_[location].size);
}

// Two fences are ordered: the later one knows what the earlier one's thread did, as far as values go. That is
// no happens-before, so clocks are left alone.
void Memory::fence(Knowledge& knowledge) noexcept {
  knowledge.current.join(knowledge.acquirable);
  knowledge.current.seen.join(sc_);
  sc_.join(knowledge.current.seen);
  knowledge.acquirable = knowledge.current;
  knowledge.fenced = knowledge.current;
}

void Memory::name(const void* begin, std::size_t size, const char* name) {
  names_.push_back({static_cast<const std::byte*>(begin), size, name});
}

std::string Memory::name_of(LocationIndex location) const {
  const std::byte* const address = locations_[location].address;
  for (const Name& known : names_) {
    if (address < known.begin || address >= known.begin + known.size) continue;
    const auto offset = address - known.begin;
    return offset == 0 ? known.name : std::string(known.name) + "+" + std::to_string(offset);
  }
  return "#" + std::to_string(location);
}

}  // namespace weft::model
