// SPDX-License-Identifier: Apache-2.0
// The steps of a watch channel, its calls and its end.
#include "sync/watch/watch_core.hpp"

#include "base/panic.hpp"
#include "sync/call_status.hpp"
#include "sync/wait_queue.hpp"

#include <limits>
#include <mutex>
#include <utility>

namespace weft {

using detail::SharedValue;
using detail::WatchPlace;

namespace {

[[maybe_unused]] const bool change_described =
    set_wait_describer(WaitKind::kChange, [](const void* object, WaitDescription& description) noexcept {
      description.add("a change of watch channel ");
      description.add_address(object);
    });

}  // namespace

// Release: what was done with the core; acquire: by the last one, which destroys it.
void WatchCore::release() noexcept {
  if (references_.fetch_sub(1, acq_rel) == 1) delete this;
}

void WatchCore::win_locked(Won& won) noexcept {
  std::uint32_t left = kPortion;
  const std::uint64_t seen_by_none = closed_ ? std::numeric_limits<std::uint64_t>::max() : version_;
  won.more = win_before(seen_by_none, receivers_, won.receivers, left);
  if (!won.more || won.referenced) return;
  references_.fetch_add(1, relaxed);  // the caller is inside a call: there is another one
  won.referenced = true;
}

void WatchCore::finish(WatchCore& core, Won& won) noexcept {
  for (;;) {
    const bool more = won.more;
    wake_all(won.receivers);
    if (!more) break;
    const std::scoped_lock lock(core.lock_);
    core.win_locked(won);
  }
  if (won.referenced) core.release();
}

void WatchCore::put_locked(SharedValue& value, Won& won) noexcept {
  value_.swap(value);
  ++version_;
  win_locked(won);
}

bool WatchCore::send(SharedValue& value) noexcept {
  Won won;
  {
    const std::scoped_lock lock(lock_);
    if (closed_) return false;
    put_locked(value, won);
  }
  finish(*this, won);
  return true;
}

ChannelStatus WatchCore::replace(SharedValue& value, std::uint64_t& expected) noexcept {
  Won won;
  {
    const std::scoped_lock lock(lock_);
    if (closed_) return ChannelStatus::kClosed;
    if (version_ != expected) return ChannelStatus::kWouldBlock;
    put_locked(value, won);
    expected = version_;
  }
  finish(*this, won);
  return ChannelStatus::kDone;
}

SharedValue WatchCore::get(std::uint64_t& version) noexcept {
  const std::scoped_lock lock(lock_);
  version = version_;
  return value_;
}

ChannelStatus WatchCore::changed_locked(WatchPlace& place, SharedValue& value) noexcept {
  if (place.seen_ == version_) return closed_ ? ChannelStatus::kClosed : ChannelStatus::kWouldBlock;
  place.seen_ = version_;
  value = value_;
  return ChannelStatus::kDone;
}

void WatchCore::add_receiver_locked(WatchPlace& place, PositionNode& node) noexcept {
  node.position = place.seen_;
  ++place.waiting_;
  receivers_.push_back(node);
}

void WatchCore::remove_receiver_locked(WatchPlace& place, PositionNode& node) noexcept {
  --place.waiting_;
  if (node.linked()) receivers_.remove(node);
}

ChannelStatus WatchCore::try_changed(WatchPlace& place, SharedValue& value) noexcept {
  const std::scoped_lock lock(lock_);
  return changed_locked(place, value);
}

ChannelStatus WatchCore::changed(WatchPlace& place, SharedValue& value, Deadline deadline) noexcept {
  const ChannelStatus spent = spend_budget_of_call(deadline);
  if (spent != ChannelStatus::kDone) return spent;
  Waiter& self = Waiter::current();
  for (;;) {
    PositionNode node;
    {
      const std::scoped_lock lock(lock_);
      const ChannelStatus status = changed_locked(place, value);
      if (status != ChannelStatus::kWouldBlock) return status;
      node.waiter = &self;
      node.ticket = self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {WaitKind::kChange, this});
      add_receiver_locked(place, node);
    }
    const WaitOutcome outcome = self.wait();
    const std::scoped_lock lock(lock_);
    remove_receiver_locked(place, node);
    if (outcome != WaitOutcome::kReady) return status_of_end(outcome);
  }
}

bool WatchCore::has_changed(const WatchPlace& place) noexcept {
  const std::scoped_lock lock(lock_);
  return place.seen_ != version_;
}

bool WatchCore::close() noexcept {
  Won won;
  {
    const std::scoped_lock lock(lock_);
    if (closed_) return false;
    closed_ = true;
    win_locked(won);
  }
  finish(*this, won);
  return true;
}

bool WatchCore::closed() noexcept {
  const std::scoped_lock lock(lock_);
  return closed_;
}

void WatchCore::subscribe(WatchPlace& place) noexcept {
  const std::scoped_lock lock(lock_);
  references_.fetch_add(1, relaxed);
  place.seen_ = version_;
}

void WatchCore::require_unused(const WatchPlace& place) noexcept {
  const std::scoped_lock lock(lock_);
  if (place.waiting_ != 0) [[unlikely]]
    WEFT_PANIC("a watch receiver is destroyed or moved while somebody waits on it",
               WEFT_VALUE(place.waiting_));
}

void WatchCore::unsubscribe(WatchPlace& place) noexcept {
  require_unused(place);
  release();
}

void WatchCore::abandon() noexcept {
  close();
  release();
}

namespace detail {

void refuse_null_value() noexcept { WEFT_PANIC("a null pointer is sent into a broadcast or watch channel"); }

void refuse_destroyed_object() noexcept { refuse_destroyed(); }

WatchCore* create_watch(SharedValue&& initial) { return new WatchCore(std::move(initial)); }
void abandon_watch(WatchCore*& core) noexcept {
  require_alive(core).abandon();
  core = nullptr;
}
bool watch_send(WatchCore& core, SharedValue& value) noexcept { return core.send(value); }
ChannelStatus watch_replace(WatchCore& core, SharedValue& value, std::uint64_t& expected) noexcept {
  return core.replace(value, expected);
}
SharedValue watch_get(WatchCore& core, std::uint64_t& version) noexcept { return core.get(version); }
bool watch_close(WatchCore& core) noexcept { return core.close(); }
bool watch_closed(WatchCore& core) noexcept { return core.closed(); }

}  // namespace detail
}  // namespace weft
