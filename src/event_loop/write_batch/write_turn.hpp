// SPDX-License-Identifier: Apache-2.0
#pragma once

// The turn to write: one call at a time writes to a descriptor, from its first byte to its last, however
// often it has to wait in between (docs/design/descriptor.md, "the turn to write").
//
// Thread safety: a WriteTurn is its fiber's. Guarantees: WT1 between the first and the last byte of a turn no
// other turn's bytes are sent; WT2 turns are given in the order in which they were asked for; WT3 a turn is
// never kept by who has nothing to write: it is given up, or taken away, before its owner waits for something
// else. Cost without contention: none but the branch, as it is taken and given up by the entering and leaving
// of a user.

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/write_batch/write_slot.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

namespace weft {

/// The place among the readers of a fiber whose write was put off. Guarded by the descriptor's lock while it
/// is linked; `descriptor.put_off` says that it is.
struct PutOffWrite : WaitNode {
  WriteSlot* slot = nullptr;
  WriteTicket ticket_of_slot = 0;
  bool turn_taken = false;  ///< the write was over, and another writer wanted the turn
};

/// A user of a descriptor that has the turn to write, for a scope.
class WriteTurn {
 public:
  /// Suspends while others write, until `deadline`; cancellable. False afterwards: see error().
  WriteTurn(DescriptorHandle handle, Deadline deadline) noexcept {
    if (handle.descriptor == nullptr) return;
    const UsageWord::Entry entry = handle.descriptor->usage.enter_to_write(handle.generation);
    if (entry == UsageWord::Entry::kTurn) [[likely]] {
      descriptor_ = handle.descriptor;
    } else if (entry == UsageWord::Entry::kBusy) {
      wait(handle, deadline);
    }
  }
  ~WriteTurn() {
    if (descriptor_ != nullptr) leave();
  }
  WriteTurn(const WriteTurn&) = delete;
  WriteTurn& operator=(const WriteTurn&) = delete;

  explicit operator bool() const noexcept { return descriptor_ != nullptr; }
  /// Why there is none: closed, cancelled or timed_out.
  Errc error() const noexcept { return error_; }
  Descriptor& operator*() const noexcept { return *descriptor_; }

  /// Nothing more will be written; the caller stays a user.
  void give_up() noexcept {
    if (held_) give_up_slow();
  }
  /// It was taken away while the caller waited.
  void taken_away() noexcept { held_ = false; }

 private:
  void leave() noexcept {
    const UsageWord::Exit exit =
        held_ ? descriptor_->usage.leave_writing() : UsageWord::Exit::kAwaited;  // leave_slow() leaves
    if (exit != UsageWord::Exit::kDone) [[unlikely]]
      leave_slow(exit);
  }
  void wait(DescriptorHandle handle, Deadline deadline) noexcept;
  void give_up_slow() noexcept;
  void leave_slow(UsageWord::Exit exit) noexcept;

  Descriptor* descriptor_ = nullptr;
  Errc error_ = Errc::closed;
  bool held_ = true;
};

}  // namespace weft
