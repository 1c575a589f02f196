// SPDX-License-Identifier: Apache-2.0
// The end of a descriptor (L9): close() wakes everybody, the last user gives the number back.
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_backend.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/descriptor/peer_watch.hpp"
#include "event_loop/registration/registration.hpp"
#include "sys/fd.hpp"

#include <mutex>

namespace weft {
namespace {

// CLOSING: nobody enters any more, and all who wait are on their way out.
void begin_close(Descriptor& descriptor, WaitNode& closer) noexcept {
  WaitList taken;
  {
    std::scoped_lock lock(descriptor.lock);
    descriptor.closer = &closer;
    close_locked(descriptor, taken);
  }
  wake_taken(descriptor, taken, WaitOutcome::kClosed);
  end_peer_scopes(descriptor);
}

void unregister(Descriptor& descriptor) noexcept {
  Registered registered;
  {
    std::scoped_lock lock(descriptor.lock);
    registered = {descriptor.ownership, descriptor.owner};
  }
  leave(descriptor, registered);
}

void end_file(Descriptor& descriptor) noexcept {
  if (descriptor.backend != nullptr) return descriptor.backend->end();
  const int fd = descriptor.fd;
  // Explicitly: a copy of the fd in another process would keep the registration alive.
  unregister(descriptor);
  sys::close(fd);
}

// The file was there before the fork() that made this process: its registration, and those who wait, are the
// parent's. Only the number is this process's own (F2).
Result<void> close_inherited(DescriptorUse& descriptor) noexcept {
  if (descriptor->backend == nullptr) sys::close(descriptor->fd);
  [[maybe_unused]] const bool last = descriptor.leave();
  return {};
}

}  // namespace

void retire_descriptor(Descriptor& descriptor) noexcept {
  if (DescriptorArena::instance().inherited(descriptor)) [[unlikely]]
    return;  // see close_inherited()
  WaitNode* closer = nullptr;
  {
    std::scoped_lock lock(descriptor.lock);
    closer = std::exchange(descriptor.closer, nullptr);
  }
  end_file(descriptor);
  DescriptorArena::instance().free(descriptor);
  // Only we can end this wait: it is not cancellable and has no deadline.
  if (closer != nullptr && closer->waiter->word.try_win(closer->ticket, WaitOutcome::kReady))
    closer->waiter->wake();
}

Result<void> close_descriptor(DescriptorHandle handle) noexcept {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  if (!descriptor->usage.close()) return Errc::closed;
  if (DescriptorArena::instance().inherited(*descriptor)) [[unlikely]]
    return close_inherited(descriptor);
  Waiter& self = Waiter::current();
  WaitNode closer;
  closer.waiter = &self;
  closer.ticket =
      self.begin(WaitWord::Cancellable::kNo, Waiter::kNoDeadline, {WaitKind::kClose, &*descriptor});
  begin_close(*descriptor, closer);
  Descriptor& record = *descriptor;
  if (descriptor.leave()) {
    // Nobody else is inside: no need to wait for ourselves.
    {
      std::scoped_lock lock(record.lock);
      record.closer = nullptr;
    }
    [[maybe_unused]] const bool won = self.word.try_win(closer.ticket, WaitOutcome::kReady);
    retire_descriptor(record);
  } else {
    self.wait();
  }
  return {};
}

}  // namespace weft
