// SPDX-License-Identifier: Apache-2.0
// The life of a channel, and its end: close(). Its calls are in channel_calls.cpp.
#include "sync/channel_core.hpp"

#include "base/panic.hpp"
#include "base/portion.hpp"
#include "base/spin_backoff.hpp"
#include "sync/channel_waiters.hpp"

#include <mutex>
#include <new>
#include <stdexcept>

namespace weft {
namespace {

/// A portion of them.
void win_some(ChannelWaiters& waiters, std::uint32_t& left, ChannelWaiters& won) noexcept {
  for (; left != 0; --left) {
    ChannelNode* const node = win_first(waiters);
    if (node == nullptr) return;
    won.push_back(*node);
  }
}

[[maybe_unused]] const bool send_described =
    set_wait_describer(WaitKind::kSend, [](const void* object, WaitDescription& description) noexcept {
      description.add("room in channel ");
      description.add_address(object);
    });
[[maybe_unused]] const bool receive_described =
    set_wait_describer(WaitKind::kReceive, [](const void* object, WaitDescription& description) noexcept {
      description.add("a value from channel ");
      description.add_address(object);
    });

}  // namespace

ChannelCore::ChannelCore(const detail::ElementType& type, std::uint32_t capacity) noexcept
    : capacity_(capacity), type_(type) {}

ChannelCore::~ChannelCore() {
  for (SpinBackoff backoff; close_goes_on();) backoff.pause();  // whoever is woken by it may be here
  if (!receivers_.empty() || !senders_.empty()) [[unlikely]]
    WEFT_PANIC("a channel is destroyed while somebody waits on it", WEFT_VALUE(this));
  for (; count_ != 0; --count_) {
    type_.destroy(slot(head_));
    head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
  }
}

std::size_t ChannelCore::alignment(const detail::ElementType& type) noexcept {
  return type.alignment > alignof(ChannelCore) ? type.alignment : alignof(ChannelCore);
}

ChannelCore* ChannelCore::create(const detail::ElementType& type, std::size_t capacity) {
  if (capacity > kCapacityMax) throw std::length_error("weft: a channel's capacity is at most 2^31");
  // No overflow: an element's size is less than 2^32, the capacity at most 2^31.
  if (type.size >> 32 != 0) throw std::length_error("weft: an element of a channel is smaller than 4 GiB");
  const std::size_t ring = alignment(type);  // its offset
  void* const memory = ::operator new(ring + capacity * type.size, std::align_val_t(ring));
  void* const core = static_cast<std::byte*>(memory) + ring - sizeof(ChannelCore);
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): destroy() finds its start again
  return new (core) ChannelCore(type, static_cast<std::uint32_t>(capacity));
}

void ChannelCore::destroy(ChannelCore* core) noexcept {
  const std::size_t ring = alignment(core->type_);
  void* const memory = reinterpret_cast<std::byte*>(core) + sizeof(ChannelCore) - ring;
  core->~ChannelCore();
  ::operator delete(memory, std::align_val_t(ring));
}

ChannelCore& ChannelCore::destroyed() noexcept {
  alignas(ChannelCore) static std::byte storage[sizeof(ChannelCore)];
  static ChannelCore* const core = [] {
    auto* const made = new (storage) ChannelCore(detail::kElementType<int>, 0);
    made->closed_ = true;
    return made;
  }();
  return *core;
}

void ChannelCore::remove_sender_locked(ChannelNode& node) noexcept { remove_if_linked(senders_, node); }
void ChannelCore::remove_receiver_locked(ChannelNode& node) noexcept { remove_if_linked(receivers_, node); }

bool ChannelCore::close() noexcept {
  {
    std::scoped_lock lock(lock_);
    if (closed_) {
      found_closed();
      return false;
    }
    closed_ = closing_ = true;
  }
  while (close_for_some()) {}
  return true;
}

/// Wins and wakes a portion of those who wait; none comes any more. True: there are others.
bool ChannelCore::close_for_some() noexcept {
  ChannelWaiters won;
  std::uint32_t left = kPortion;
  bool more = false;
  {
    std::scoped_lock lock(lock_);
    win_some(receivers_, left, won);
    win_some(senders_, left, won);
    more = closing_ = !receivers_.empty() || !senders_.empty();
  }
  // A node dies when its waiter is woken: it is taken off first. `transferred` stays false.
  while (ChannelNode* const node = won.pop_front()) node->waiter->wake();
  return more;
}

bool ChannelCore::close_goes_on() noexcept {
  std::scoped_lock lock(lock_);
  return closing_;
}

bool ChannelCore::closed() noexcept {
  std::scoped_lock lock(lock_);
  if (closed_) found_closed();
  return closed_;
}

std::size_t ChannelCore::size() noexcept {
  std::scoped_lock lock(lock_);
  return count_;
}

namespace detail {

ChannelCore* create_channel(const ElementType& type, std::size_t capacity) {
  return ChannelCore::create(type, capacity);
}
void destroy_channel(ChannelCore* core, [[maybe_unused]] ChannelCore** place) noexcept {
  ChannelCore::destroy(core);
#if WEFT_CHECK_LOCKS
  *place = &ChannelCore::destroyed();
#endif
}

ChannelStatus channel_send(ChannelCore& core, void* value, Deadline deadline) noexcept {
  return core.send(value, deadline);
}
ChannelStatus channel_try_send(ChannelCore& core, void* value) noexcept { return core.try_send(value); }
ChannelStatus channel_receive(ChannelCore& core, void* element, Deadline deadline) noexcept {
  return core.receive(element, deadline);
}
ChannelStatus channel_try_receive(ChannelCore& core, void* element) noexcept {
  return core.try_receive(element);
}

bool channel_close(ChannelCore& core) noexcept { return core.close(); }
bool channel_closed(ChannelCore& core) noexcept { return core.closed(); }
std::size_t channel_size(ChannelCore& core) noexcept { return core.size(); }
std::size_t channel_capacity(const ChannelCore& core) noexcept { return core.capacity(); }

}  // namespace detail
}  // namespace weft
