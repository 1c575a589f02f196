// SPDX-License-Identifier: Apache-2.0
#pragma once

// The untyped half of a select: what a branch that waits for something must be able to do, and the branches
// that there are. A new kind of branch (docs/design/select.md, "A new kind") derives from SelectBranch, and
// gets a function beside receive(), send() and join(). No promises about this header.

#include <weft/deadline.hpp>
#include <weft/detail/channel_core.hpp>
#include <weft/detail/descriptor_handle.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

class Fiber;
class SpinLock;
class WaitDescription;
class WaitTicket;
class Waiter;

namespace detail {

/// A branch of a select that waits at a source: a channel, a fiber, a descriptor, a clock. It lives in the
/// caller's frame, with its wait node in it, for one select.
///
/// The select calls, all by the selecting fiber: lock() on every branch, once; prepare() on every branch;
/// poll_locked() on one after the other, with the locks of all, until one is taken, which gets finish_poll()
/// after the unlock. If none was: add_locked() on all, still under the same locks, queued() on all after the
/// unlock, the wait, and remove_locked() under its own lock on every branch but the one that was won. Then
/// again from prepare(), if the wait ended with another outcome than a branch's own, the deadline or a cancel
/// request. Last, leave(). None of them may suspend.
class SelectBranch {
 public:
  SelectBranch(const SelectBranch&) = delete;
  SelectBranch& operator=(const SelectBranch&) = delete;

  /// What guards the source; null: it needs no lock, or is gone, and then poll_locked() is true. All sources
  /// have the same rank: nobody takes two of these locks but a select, in the order of their addresses.
  virtual SpinLock* lock() noexcept = 0;
  /// Takes the branch if that needs no wait, and says whether it did. A partner must be won by one try_win of
  /// its wait: the selecting fiber is running, and has nothing to be won itself.
  virtual bool poll_locked() noexcept = 0;
  /// After the unlock, of the branch that was taken: what must not be done under the lock.
  virtual void finish_poll() noexcept {}
  /// Queues the branch's node. Whoever finds it wins the wait with outcome_of_rank(rank) if that is all there
  /// is to do, and with kReady, kClosed or kRetry if the select shall look again.
  virtual void add_locked(Waiter& self, const WaitTicket& ticket) noexcept = 0;
  /// Takes the node off if nobody did before (P1).
  virtual void remove_locked() noexcept = 0;

  // -- of branches with `works_unlocked` only
  /// What needs a system call to be known.
  virtual void prepare() noexcept {}
  /// After the unlock, before the wait.
  virtual void queued() noexcept {}
  /// The select is over.
  virtual void leave() noexcept {}

  /// Adds what is waited for, in dumps. Called by anybody, while the select waits and is held.
  virtual void describe(WaitDescription& description) const noexcept = 0;

  // -- written by the select
  SpinLock* guard = nullptr;   ///< what lock() said
  std::uint16_t position = 0;  ///< among the arguments, from 0 on
  std::uint16_t rank = 0;      ///< in the order of locks: how a waiter that was won knows the branch
  const bool works_unlocked;

 protected:
  explicit SelectBranch(bool needs_calls_unlocked = false) noexcept : works_unlocked(needs_calls_unlocked) {}
  ~SelectBranch() = default;

  /// Room for the wait node, of a type that is the source's business.
  static constexpr std::size_t kNodeSize = 48;
  alignas(void*) std::byte node_[kNodeSize];
};

/// The branch of a send or a receive.
class ChannelBranch : public SelectBranch {
 public:
  enum class Operation : bool { kSend, kReceive };

  ChannelBranch(ChannelCore& channel, Operation operation) noexcept
      : channel_(channel), operation_(operation) {}

  SpinLock* lock() noexcept final;
  bool poll_locked() noexcept final;
  void finish_poll() noexcept final;
  void add_locked(Waiter& self, const WaitTicket& ticket) noexcept final;
  void remove_locked() noexcept final;
  void describe(WaitDescription& description) const noexcept final;

  /// Of a branch that was taken: kDone, and the element was moved, or kClosed, and it was not.
  ChannelStatus status() const noexcept;

 protected:
  ~ChannelBranch() = default;
  /// The value to send, or the room for one that comes.
  void set_element(void* element) noexcept { element_ = element; }

 private:
  ChannelCore& channel_;
  void* element_ = nullptr;
  const Operation operation_;
  ChannelStatus polled_ = ChannelStatus::kWouldBlock;  ///< if so, and it was won, the node knows more
};

/// The branch that waits for the end of a fiber.
class JoinBranch : public SelectBranch {
 public:
  /// BUG if the calling fiber waits for itself.
  explicit JoinBranch(Fiber& fiber) noexcept;

  SpinLock* lock() noexcept final;
  bool poll_locked() noexcept final;
  void add_locked(Waiter& self, const WaitTicket& ticket) noexcept final;
  void remove_locked() noexcept final;
  void describe(WaitDescription& description) const noexcept final;

 protected:
  ~JoinBranch() = default;

 private:
  Fiber& fiber_;
  const std::uint64_t id_;
};

/// The branch that waits until a descriptor may be read from, or written to. In fibers only.
class ReadinessBranch : public SelectBranch {
 public:
  enum class Operation : bool { kRead, kWrite };

  ReadinessBranch(DescriptorHandle handle, Operation operation) noexcept
      : SelectBranch(true), handle_(handle), operation_(operation) {}

  /// BUG on a plain thread.
  SpinLock* lock() noexcept final;
  bool poll_locked() noexcept final;
  void add_locked(Waiter& self, const WaitTicket& ticket) noexcept final;
  void remove_locked() noexcept final;
  void describe(WaitDescription& description) const noexcept final;
  void prepare() noexcept final;
  void queued() noexcept final;
  void leave() noexcept final;

  /// Of a branch that was taken.
  Result<void> result() const noexcept { return result_; }

 protected:
  ~ReadinessBranch() = default;

 private:
  const DescriptorHandle handle_;
  Result<void> result_;
  bool entered_ = false;  ///< a user of the descriptor, until leave()
  bool ready_ = false;    ///< prepare() found it so
  const Operation operation_;
};

/// What a select is made of; filled in by the template, in its frame.
struct SelectPlan {
  SelectBranch** in_order;  ///< the branches that wait at a source, as they were given
  SelectBranch** by_lock;   ///< the same, sorted by the select
  std::size_t count = 0;
  bool fair = true;  ///< looks at them in a random order; else as they were given
  Deadline deadline = Deadline::never();
  std::size_t deadline_position = 0;   ///< of the first branch with that deadline
  std::size_t otherwise_position = 0;  ///< of the branch for when none is ready
  bool has_otherwise = false;
  /// When the select looks again, as a source is ready by then. Before each look it is never, until a branch
  /// lowers it in prepare().
  Deadline look_again = Deadline::never();
  Errc error = Errc::cancelled;  ///< why no branch was taken

  void add(SelectBranch& branch, std::size_t place) noexcept {
    branch.position = static_cast<std::uint16_t>(place);
    in_order[count] = by_lock[count] = &branch;
    ++count;
  }
};

/// f(result) if it can be called so, else f() on success; an error that f cannot be told is returned.
template <class F>
std::error_code tell(F& f, Result<void> result) {
  if constexpr (std::is_invocable_v<F&, Result<void>>) {
    std::invoke(f, std::move(result));
    return {};
  } else {
    if (result) std::invoke(f);
    return result.error();
  }
}

/// The position of the branch that was taken; kNoBranch: none was, `plan.error` says why.
inline constexpr std::size_t kNoBranch = ~std::size_t{0};
std::size_t select_branch(SelectPlan& plan) noexcept;

}  // namespace detail
}  // namespace weft
