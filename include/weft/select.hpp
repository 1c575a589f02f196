// SPDX-License-Identifier: Apache-2.0
#pragma once

// select(): waits for one of several things, and runs the function of exactly one.
//
//   receive(channel, f)         f(Result<T>): the value, or Errc::closed
//   send(channel, value, f)     f() once the value was sent; or f(Result<void>), which is told Errc::closed
//   after(5s, f), after(deadline, f)   f(): nothing else came in time
//   otherwise(f)                f(): nothing else is ready now
//   join(handle, f)             f(what the fiber returned)
//   readable(stream, f), writable(stream, f)   f(), or f(Result<void>): a read or write would not wait
//
// Elsewhere: receive(subscriber, f) and send(broadcast, value, f) in broadcast_channel.hpp, changed(receiver,
// f) in watch_channel.hpp, tick(ticker, f) in ticker.hpp.

#include <weft/channel.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/select_branch.hpp>
#include <weft/join_handle.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

/// How a select ended: which branch was taken. False if none was, as the fiber was cancelled
/// (Errc::cancelled), or if it is a send without a function for it, to a closed channel (Errc::closed).
class Selected {
 public:
  Selected(std::size_t position, std::error_code error) noexcept : position_(position), error_(error) {}

  explicit operator bool() const noexcept { return !error_; }
  std::error_code error() const noexcept { return error_; }
  /// The place of the branch that was taken among the arguments, from 0 on; the greatest std::size_t if none
  /// was.
  std::size_t index() const noexcept { return position_; }

 private:
  std::size_t position_;
  std::error_code error_;
};

namespace detail {

template <class T, class F>
class ReceiveInto final : public ChannelBranch {
 public:
  ReceiveInto(Channel<T>& channel, F&& f)
      : ChannelBranch(channel.core(), Operation::kReceive), f_(std::forward<F>(f)) {
    set_element(room_.address());
  }

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() {
    std::invoke(f_, room_.take(status()));
    return {};
  }

 private:
  ElementRoom<T> room_;
  F f_;
};

/// `Held` is T&& for a value that is moved from where it is, T for a copy.
template <class T, class Held, class F>
class SendFrom final : public ChannelBranch {
 public:
  template <class Value>
  SendFrom(Channel<T>& channel, Value&& value, F&& f)
      : ChannelBranch(channel.core(), Operation::kSend),
        held_(std::forward<Value>(value)),
        f_(std::forward<F>(f)) {
    set_element(std::addressof(held_));
  }

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() { return tell(f_, result_of_status(status())); }

 private:
  Held held_;
  F f_;
};

template <class Handle, class F>
class JoinInto final : public JoinBranch {
 public:
  JoinInto(Handle& handle, F&& f) noexcept
      : JoinBranch(handle.fiber()), handle_(handle), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() {
    if constexpr (std::is_void_v<decltype(handle_.join_uncancellable())>) {
      handle_.join_uncancellable();
      std::invoke(f_);
    } else {
      std::invoke(f_, handle_.join_uncancellable());
    }
    return {};
  }

 private:
  Handle& handle_;
  F f_;
};

template <class F>
class WhenReady final : public ReadinessBranch {
 public:
  WhenReady(DescriptorHandle handle, Operation operation, F&& f)
      : ReadinessBranch(handle, operation), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() { return tell(f_, result()); }

 private:
  F f_;
};

template <class F>
class AfterDeadline {
 public:
  AfterDeadline(Deadline deadline, F&& f) : deadline_(deadline), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept {
    if (!(deadline_ < plan.deadline)) return;
    plan.deadline = deadline_;
    plan.deadline_position = place;
  }
  std::error_code run() {
    std::invoke(f_);
    return {};
  }

 private:
  const Deadline deadline_;
  F f_;
};

template <class F>
class Otherwise {
 public:
  explicit Otherwise(F&& f) : f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept {
    plan.otherwise_position = place;
    plan.has_otherwise = true;
  }
  std::error_code run() {
    std::invoke(f_);
    return {};
  }

 private:
  F f_;
};

/// Anything that can stand in a select: it enters itself into the plan, and runs when it was taken.
template <class Branch>
concept SelectArgument = requires(Branch& branch, SelectPlan& plan) {
  branch.plan(plan, std::size_t{});
  { branch.run() } -> std::same_as<std::error_code>;
};

template <class... Branches>
Selected select_among(bool fair, Branches&... branches) {
  static_assert(sizeof...(Branches) > 0, "a select of nothing waits for ever");
  static_assert(sizeof...(Branches) < 1000, "that many branches are not for a frame");
  SelectBranch* in_order[sizeof...(Branches)];
  SelectBranch* by_lock[sizeof...(Branches)];
  SelectPlan plan{.in_order = in_order, .by_lock = by_lock, .fair = fair};
  std::size_t position = 0;
  (branches.plan(plan, position++), ...);
  const std::size_t taken = select_branch(plan);
  if (taken == kNoBranch) return {kNoBranch, make_error_code(plan.error)};
  std::error_code error;
  position = 0;
  static_cast<void>(((position++ == taken && (static_cast<void>(error = branches.run()), true)) || ...));
  return {taken, error};
}

}  // namespace detail

/// A branch of a select: the next value of `channel`, or Errc::closed, is given to `f`.
template <class T, class F>
[[nodiscard]] auto receive(Channel<T>& channel, F&& f) {
  return detail::ReceiveInto<T, F>(channel, std::forward<F>(f));
}

/// A branch of a select: `value` is sent to `channel`; then `f` runs. The value is moved from only if this
/// branch is taken and the channel is not closed. A closed channel's branch is ready: an `f` that takes a
/// Result<void> is told Errc::closed, one that takes nothing is not called, and the select says so.
template <class T, class F>
[[nodiscard]] auto send(Channel<T>& channel, std::type_identity_t<T>&& value, F&& f) {
  return detail::SendFrom<T, T&&, F>(channel, std::move(value), std::forward<F>(f));
}
/// The same with a copy of `value`.
template <class T, class F>
[[nodiscard]] auto send(Channel<T>& channel, const std::type_identity_t<T>& value, F&& f) {
  return detail::SendFrom<T, T, F>(channel, value, std::forward<F>(f));
}

/// A branch of a select: the fiber has ended; it is joined, and what it returned is given to `f` (nothing, if
/// that is void). What escaped from it comes out of the select. The handle is left alone by any other branch.
/// BUG, with the line of this call, if the handle is empty.
template <class T, class F>
[[nodiscard]] auto join(JoinHandle<T>& handle, F&& f, SourceLocation called_at = SourceLocation::current()) {
  detail::require_joinable(handle, called_at);
  return detail::JoinInto<JoinHandle<T>, F>(handle, std::forward<F>(f));
}

/// A branch of a select: reading from `source` (a net::TcpStream; a net::TcpListener, whose accept() it is
/// for) would probably not have to wait. Nothing is read: another fiber may be faster. An `f` that takes a
/// Result<void> is told Errc::closed, or the kernel's error when the file cannot be waited for; one that
/// takes nothing is not called then, and the select says so. In fibers only.
template <class Source, class F>
[[nodiscard]] auto readable(Source& source, F&& f) {
  return detail::WhenReady<F>(source.descriptor(), detail::ReadinessBranch::Operation::kRead,
                              std::forward<F>(f));
}
/// The same for writing.
template <class Source, class F>
[[nodiscard]] auto writable(Source& source, F&& f) {
  return detail::WhenReady<F>(source.descriptor(), detail::ReadinessBranch::Operation::kWrite,
                              std::forward<F>(f));
}

/// A branch of a select: nothing else came before `deadline`, or for so long. Of several, the earliest
/// counts.
template <class F>
[[nodiscard]] auto after(Deadline deadline, F&& f) {
  return detail::AfterDeadline<F>(deadline, std::forward<F>(f));
}

/// A branch of a select: nothing else is ready now. A select that has it does not wait.
template <class F>
[[nodiscard]] auto otherwise(F&& f) {
  return detail::Otherwise<F>(std::forward<F>(f));
}

/// Waits until one of `branches` can be taken, takes it, and runs its function, after everything else has
/// been undone: the others have moved and consumed nothing. Of several that are ready, each is as likely to
/// be taken. The same channel may stand in several branches, also for sending and receiving: of those that
/// wait, each is as likely, too.
///
/// Suspends while none is ready, unless there is an otherwise() branch; blocks a plain thread. Ends without a
/// branch only if it had to wait, and the fiber is cancelled, or was (Errc::cancelled), or the scope around
/// it has ended (Errc::cancelled, Errc::timed_out): a loop should be `while (select(...))`. Exceptions of the
/// function that runs come out of it. Allocates nothing. Branches are made in the call; they refer to their
/// channels, values and handles.
///
///     weft::select(weft::receive(jobs, [&](weft::Result<Job> job) { ... }),
///                  weft::send(results, std::move(r), [&] { ... }),
///                  weft::after(5s, [&] { ... }));
template <detail::SelectArgument... Branches>
Selected select(Branches&&... branches) {
  return detail::select_among(true, branches...);
}

/// The same with priorities: of several branches that are ready, the first is taken; of several that wait for
/// the same channel, the first as well.
template <detail::SelectArgument... Branches>
Selected select_first(Branches&&... branches) {
  return detail::select_among(false, branches...);
}

}  // namespace weft
