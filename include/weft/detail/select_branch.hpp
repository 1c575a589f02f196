// SPDX-License-Identifier: Apache-2.0
#pragma once

// The untyped half of a select: the interface of a branch that waits, and its implementations. A new kind of
// branch (docs/design/select.md, "A new kind") derives from SelectBranch, and gets a function beside
// receive(), send() and join(). Internal: this header may change at any time.

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

namespace detail {

class Fiber;
class SpinLock;
class WaitDescription;
class WaitTicket;
class Waiter;

/// A branch of a select that waits at a source: a channel, a fiber, a descriptor, a
/// clock. It lives in the caller's
/// frame for one select, with its wait node in it.
///
/// The selecting fiber makes these calls. None of them may suspend.
///
/// 1. lock() on every branch, once.
/// 2. prepare() on every branch.
/// 3. With the locks of all branches held: poll_locked() on one branch after the other until one is taken.
///    After the unlock that branch gets finish_poll().
/// 4. If no branch was taken: add_locked() on all, under the same locks. After the unlock: queued() on all,
///    then the wait.
/// 5. remove_locked(), under the branch's own lock, on every branch except the one that was won.
/// 6. Again from step 2, unless the wait ended with a branch's own outcome, the deadline or a cancel request.
/// 7. leave() on every branch.
class SelectBranch {
 public:
  SelectBranch(const SelectBranch&) = delete;
  SelectBranch& operator=(const SelectBranch&) = delete;

  /// The lock of the source. Null if the source needs no lock, or is gone; then poll_locked() is true. All
  /// sources have the same rank in the lock order. Only a select takes two of these locks, in the order of
  /// their addresses.
  virtual SpinLock* lock() noexcept = 0;
  /// Takes the branch if that needs no wait, and returns whether it did. It must win a partner by one try_win
  /// of the partner's wait: the selecting fiber is running and has no wait of its own.
  virtual bool poll_locked() noexcept = 0;
  /// Called on the taken branch after the unlock, for work that must not be done under the lock.
  virtual void finish_poll() noexcept {}
  /// Queues the branch's node. The thread that finds the node wins the wait: with outcome_of_rank(rank) if
  /// the branch is then complete, with kReady, kClosed or kRetry if the select must look again.
  virtual void add_locked(Waiter& self, const WaitTicket& ticket) noexcept = 0;
  /// Takes the node off its list, unless that was done before.
  virtual void remove_locked() noexcept = 0;

  // -- called only on branches with `works_unlocked`
  /// Makes the system call that finds out whether the branch is ready.
  virtual void prepare() noexcept {}
  /// Called after the unlock, before the wait.
  virtual void queued() noexcept {}
  /// Called when the select is over.
  virtual void leave() noexcept {}

  /// Describes the branch for a dump. Any thread calls it, while the select waits and is held.
  virtual void describe(WaitDescription& description) const noexcept = 0;

  // -- written by the select
  SpinLock* guard = nullptr;   ///< the result of lock()
  std::uint16_t position = 0;  ///< the position among the arguments, from 0 on
  std::uint16_t rank = 0;      ///< the position in the order of locks; it identifies the branch that was won
  const bool works_unlocked;

 protected:
  explicit SelectBranch(bool needs_calls_unlocked = false) noexcept : works_unlocked(needs_calls_unlocked) {}
  ~SelectBranch() = default;

  /// Storage for the wait node. The source defines its type.
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

  /// The status of the taken branch: kDone if the element was moved, kClosed if it was not.
  ChannelStatus status() const noexcept;

 protected:
  ~ChannelBranch() = default;
  /// Sets the value to send, or the storage for the value to receive.
  void set_element(void* element) noexcept { element_ = element; }

 private:
  ChannelCore& channel_;
  void* element_ = nullptr;
  const Operation operation_;
  ChannelStatus polled_ = ChannelStatus::kWouldBlock;  ///< if unchanged and won, the node has the status
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

/// The branch that waits until a descriptor is readable or writable. In fibers only.
class ReadinessBranch : public SelectBranch {
 public:
  enum class Operation : bool { kRead, kWrite };

  /// `buffered`: what is waited for is here already, whatever the descriptor says.
  ReadinessBranch(DescriptorHandle handle, Operation operation, bool buffered) noexcept
      : SelectBranch(true), handle_(handle), operation_(operation), buffered_(buffered) {}

  /// BUG on a plain thread.
  SpinLock* lock() noexcept final;
  bool poll_locked() noexcept final;
  void add_locked(Waiter& self, const WaitTicket& ticket) noexcept final;
  void remove_locked() noexcept final;
  void describe(WaitDescription& description) const noexcept final;
  void prepare() noexcept final;
  void queued() noexcept final;
  void leave() noexcept final;

  /// The result of the taken branch.
  Result<void> result() const noexcept { return result_; }

 protected:
  ~ReadinessBranch() = default;

 private:
  const DescriptorHandle handle_;
  Result<void> result_;
  bool entered_ = false;  ///< it is a user of the descriptor until leave()
  bool ready_ = false;    ///< prepare() found it ready
  const Operation operation_;
  const bool buffered_;
};

/// The branches of a select. The template fills it in, in its frame.
struct SelectPlan {
  SelectBranch** in_order;  ///< the branches that wait at a source, in the order of the arguments
  SelectBranch** by_lock;   ///< the same branches, sorted by the select
  std::size_t count = 0;
  bool fair = true;  ///< true: polls them in random order; false: in the order of the arguments
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

/// Calls f(result) if possible, else f() on success. Returns an error that f cannot take.
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

/// The position of the taken branch, or kNoBranch; then `plan.error` says why.
inline constexpr std::size_t kNoBranch = ~std::size_t{0};
std::size_t select_branch(SelectPlan& plan) noexcept;

}  // namespace detail
}  // namespace weft
