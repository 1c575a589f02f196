// SPDX-License-Identifier: Apache-2.0
// Registered once, for all edges, until the file is closed: transferred to whoever waits, or pinned; at the
// first wait, or at open.
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/registration/registration.hpp"

#include <mutex>

namespace weft {
namespace {

class Lifetime : public RegistrationPolicy {
 public:
  Result<void> enter(Descriptor& descriptor, PollingEventLoop& loop) const noexcept final {
    return loop.watch(descriptor, Edges::all());
  }

  Result<void> finish(Descriptor& descriptor, PollingEventLoop& loop) const noexcept final {
    const std::scoped_lock lock(descriptor.lock);
    descriptor.ownership = Ownership::kOwned;
    DescriptorArena::instance().set_owner_locked(descriptor, loop.id());
    descriptor.policy = this;
    ++descriptor.counters.registrations;
    return {};
  }

 protected:
  ~Lifetime() = default;
};

/// L7: ownership follows use.
class Transfer final : public Lifetime {
 public:
  bool serves_locked(const Descriptor& descriptor, const PollingEventLoop& loop) const noexcept override {
    return descriptor.ownership == Ownership::kOwned && descriptor.owner == loop.id();
  }
};

/// Once registered by this policy, by whatever loop, it stays there.
class Pinned final : public Lifetime {
 public:
  explicit constexpr Pinned(bool at_open) noexcept : at_open_(at_open) {}

  bool serves_locked(const Descriptor& descriptor, const PollingEventLoop&) const noexcept override {
    return descriptor.ownership == Ownership::kOwned && descriptor.policy == this;
  }
  bool at_open() const noexcept override { return at_open_; }

 private:
  const bool at_open_;
};

constinit const Transfer transfer;
constinit const Pinned pinned{false};
constinit const Pinned at_open{true};

}  // namespace

const RegistrationPolicy& transfer_policy() noexcept { return transfer; }
const RegistrationPolicy& pinned_policy() noexcept { return pinned; }
const RegistrationPolicy& at_open_policy() noexcept { return at_open; }

}  // namespace weft
