// SPDX-License-Identifier: Apache-2.0
// Registered in every loop of this kind, for all edges: no owner, whoever sees an edge first wakes.
#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/registration/loop_registry.hpp"
#include "event_loop/registration/registration.hpp"
#include "sys/errors.hpp"

#include <mutex>

namespace weft {
namespace {

/// Added before, when adding to some other loop failed: fine.
bool added(const Result<void>& result) noexcept {
  return result.has_value() || sys::is_errno(result.error(), EEXIST);
}

class Broadcast final : public RegistrationPolicy {
 public:
  bool serves_locked(const Descriptor& descriptor, const PollingEventLoop& loop) const noexcept override {
    return descriptor.ownership == Ownership::kBroadcast && loop.birth() <= descriptor.broadcast_seen;
  }

  // The loop at hand comes first: if it has no room, nothing has been done. Another's failure only leaves
  // `broadcast_seen` where it was, and the next wait tries again.
  Result<void> enter(Descriptor& descriptor, PollingEventLoop& loop) const noexcept override {
    // Before the look at the loops: those born up to here are seen.
    const std::uint64_t born = LoopRegistry::instance().births();
    const Result<void> here = loop.watch(descriptor, Edges::all());
    if (!added(here)) return here;
    bool everywhere = true;
    LoopRegistry::instance().for_each_born([&](PollingEventLoop& other) {
      if (&other == &loop || other.birth() <= seen(descriptor)) return;
      everywhere = added(other.watch(descriptor, Edges::all())) && everywhere;
    });
    const std::scoped_lock lock(descriptor.lock);
    descriptor.broadcast_seen = everywhere ? born : seen(descriptor);
    return {};
  }

  bool keeps(const Registered& old) const noexcept override { return old.state == Ownership::kBroadcast; }

  Result<void> finish(Descriptor& descriptor, PollingEventLoop&) const noexcept override {
    const std::scoped_lock lock(descriptor.lock);
    descriptor.ownership = Ownership::kBroadcast;
    descriptor.owner = {};
    descriptor.policy = this;
    ++descriptor.counters.registrations;
    return {};
  }

  bool at_open() const noexcept override { return true; }

 private:
  /// What it was when this policy was entered for the first time: nothing. The mover's own.
  std::uint64_t seen(const Descriptor& descriptor) const noexcept {
    return descriptor.policy == this ? descriptor.broadcast_seen : 0;
  }
};

constinit const Broadcast broadcast;

}  // namespace

const RegistrationPolicy& broadcast_policy() noexcept { return broadcast; }

void leave_broadcast(const Descriptor& descriptor) noexcept {
  LoopRegistry::instance().for_each_born([&](PollingEventLoop& loop) { loop.forget(descriptor.fd); });
}

bool broadcast_alive_locked(const Descriptor& descriptor) noexcept {
  bool alive = false;
  LoopRegistry::instance().for_each_born(
      [&](PollingEventLoop& loop) { alive = alive || loop.birth() <= descriptor.broadcast_seen; });
  return alive;
}

}  // namespace weft
