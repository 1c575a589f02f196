// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/cancel_token.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/access.hpp>
#include <weft/detail/select_branch.hpp>
#include <weft/result.hpp>
#include <weft/signal.hpp>

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>

namespace weft {

class SignalSetCore;

namespace detail {
struct DeleteSignalSet {
  void operator()(SignalSetCore* core) const noexcept;
};
}  // namespace detail

/// Receives signals of the operating system.
///
///     weft::SignalSet stop{SIGINT, SIGTERM};
///     weft::Signal signal = stop.wait().value();
///
/// Collects signals from its construction to its destruction, also outside of run(), whichever thread of the
/// process gets them, and also if all threads of the program block them. Nothing is lost: each signal that
/// the kernel delivers is received once, and several sets that have the same signal each receive it. (The
/// kernel itself keeps one pending signal of a kind for a process, except real-time signals.)
///
/// While a set has a signal, the signal's default action is off. A handler that the program has installed
/// before is called as well. The destruction of the last set with that signal puts back what was there,
/// unless the program has changed it meanwhile. A handler that is installed later with sigaction() takes the
/// signal away from all sets.
///
/// Thread safety: any fiber or plain thread may call any method. Destruction: BUG if a fiber or thread waits
/// in the set. In a child of fork() an inherited set is closed (Errc::closed), and the signal does there what
/// it did before the set; the child makes sets of its own. Children that exec are not disturbed.
class SignalSet {
 public:
  /// Throws std::system_error if a signal cannot be waited for, and names it: SIGKILL and SIGSTOP, the faults
  /// of a thread (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT), numbers that are no signals, or
  /// no signal at all; or if the library's thread for signals cannot be started.
  SignalSet(std::initializer_list<int> numbers);
  explicit SignalSet(std::span<const int> numbers);
  SignalSet(const SignalSet&) = delete;
  SignalSet& operator=(const SignalSet&) = delete;

  /// Waits for the next signal. Suspends the calling fiber, or blocks a plain thread. Signals that came
  /// before are returned at once, in the order of their coming, also if the caller was cancelled. Each is
  /// returned to one caller. Cancellable (Errc::cancelled, Errc::timed_out at the deadline of the enclosing
  /// scope); no signal is lost by that.
  Result<Signal> wait() { return wait_until(Deadline::never()); }
  /// The same with a deadline (Errc::timed_out).
  Result<Signal> wait_until(Deadline deadline);
  /// The same without a wait: Errc::would_block if there is no signal.
  Result<Signal> try_wait();

  /// A token that asks to stop when the first signal has come since the set was made. The signal stays in the
  /// set. Its callbacks run on a thread of the library and must not block.
  ///
  ///     weft::CancelScope scope(stop.token());   // ends with the first signal
  CancelToken token() const;

 private:
  friend struct detail::Access;

  SignalSetCore& core() const noexcept { return *core_; }

  std::unique_ptr<SignalSetCore, detail::DeleteSignalSet> core_;
};

namespace detail {

/// The branch that receives a signal.
class SignalBranch : public SelectBranch {
 public:
  explicit SignalBranch(SignalSetCore& set) noexcept : SelectBranch(true), set_(set) {}

  SpinLock* lock() noexcept final;
  void prepare() noexcept final;
  bool poll_locked() noexcept final;
  void add_locked(Waiter& self, const WaitTicket& ticket) noexcept final;
  void remove_locked() noexcept final;
  void describe(WaitDescription& description) const noexcept final;

 protected:
  ~SignalBranch() = default;
  const Signal& signal() const noexcept { return signal_; }

 private:
  SignalSetCore& set_;
  Signal signal_;
};

template <class F>
class OnSignal final : public SignalBranch {
 public:
  OnSignal(SignalSetCore& set, F&& f) : SignalBranch(set), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() {
    std::invoke(f_, signal());
    return {};
  }

 private:
  F f_;
};

}  // namespace detail

/// A branch of a select: receives the next signal of the set and calls `f(signal)`. If another branch is
/// taken, the signal stays in the set.
template <class F>
[[nodiscard]] auto signalled(SignalSet& set, F&& f) {
  return detail::OnSignal<F>(detail::Access::core(set), std::forward<F>(f));
}

}  // namespace weft
