// SPDX-License-Identifier: Apache-2.0
#pragma once

// select(): waits until one of several branches is ready, and runs the function of exactly one.
//
//   receive(channel, f)         f(Result<T>): the value, or Errc::closed
//   send(channel, value, f)     f() when the value was sent; f(Result<void>) also gets Errc::closed
//   after(5s, f), after(deadline, f)   f() if no other branch was ready in time
//   otherwise(f)                f() if no other branch is ready now
//   join(handle, f)             f(the fiber's result)
//   readable(stream, f), writable(stream, f)   f(), or f(Result<void>): a read or write would not wait
//
// Elsewhere: receive(subscriber, f) and send(broadcast, value, f) in broadcast_channel.hpp, changed(receiver,
// f) in watch_channel.hpp, tick(ticker, f) in ticker.hpp.

#include <weft/channel.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/access.hpp>
#include <weft/detail/select_branch.hpp>
#include <weft/detail/stream_access.hpp>
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

/// The result of a select: which branch was taken. False if no branch was taken because the fiber was
/// cancelled (Errc::cancelled), or if the branch was a send to a closed channel, or the readiness of a
/// descriptor that has failed, and its function takes no error.
class Selected {
 public:
  Selected(std::size_t position, std::error_code error) noexcept : position_(position), error_(error) {}

  explicit operator bool() const noexcept { return !error_; }
  std::error_code error() const noexcept { return error_; }
  /// The position of the taken branch among the arguments, from 0 on; the greatest std::size_t if no branch
  /// was taken.
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
      : ChannelBranch(Access::core(channel), Operation::kReceive), f_(std::forward<F>(f)) {
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

/// `Held` is T&& for a value that is moved from its place, T for a copy.
template <class T, class Held, class F>
class SendFrom final : public ChannelBranch {
 public:
  template <class Value>
  SendFrom(Channel<T>& channel, Value&& value, F&& f)
      : ChannelBranch(Access::core(channel), Operation::kSend),
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
      : JoinBranch(Access::fiber(handle)), handle_(handle), f_(std::forward<F>(f)) {}

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
  WhenReady(DescriptorHandle handle, Operation operation, bool buffered, F&& f)
      : ReadinessBranch(handle, operation, buffered), f_(std::forward<F>(f)) {}

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

/// A branch of a select: it adds itself to the plan, and runs if it was taken.
template <class Branch>
concept SelectArgument = requires(Branch& branch, SelectPlan& plan) {
  branch.plan(plan, std::size_t{});
  { branch.run() } -> std::same_as<std::error_code>;
};

template <class... Branches>
Selected select_among(bool fair, Branches&... branches) {
  static_assert(sizeof...(Branches) > 0, "a select without branches waits for ever");
  static_assert(sizeof...(Branches) < 1000, "that many branches do not fit a stack frame");
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

/// A branch of a select: receives the next value of `channel` and calls `f` with it, or with Errc::closed.
template <class T, class F>
[[nodiscard]] auto receive(Channel<T>& channel, F&& f) {
  return detail::ReceiveInto<T, F>(channel, std::forward<F>(f));
}

/// A branch of a select: sends `value` to `channel`, then calls `f`. The value is moved from only if this
/// branch is taken and the channel is not closed. If the channel is closed, the branch is ready: an `f` that
/// takes a Result<void> gets Errc::closed. An `f` without arguments is not called, and the select returns the
/// error.
template <class T, class F>
[[nodiscard]] auto send(Channel<T>& channel, std::type_identity_t<T>&& value, F&& f) {
  return detail::SendFrom<T, T&&, F>(channel, std::move(value), std::forward<F>(f));
}
/// The same with a copy of `value`.
template <class T, class F>
[[nodiscard]] auto send(Channel<T>& channel, const std::type_identity_t<T>& value, F&& f) {
  return detail::SendFrom<T, T, F>(channel, value, std::forward<F>(f));
}

/// A branch of a select: ready when the fiber has ended. Joins the fiber and calls `f` with its result
/// (without arguments if that is void). The select throws the exception that escaped from the fiber. If
/// another branch is taken, the handle stays joinable. BUG, with the line of this call, if the handle is
/// empty.
template <class T, class F>
[[nodiscard]] auto join(JoinHandle<T>& handle, F&& f, SourceLocation called_at = SourceLocation::current()) {
  detail::require_joinable(handle, called_at);
  return detail::JoinInto<JoinHandle<T>, F>(handle, std::forward<F>(f));
}

/// A branch of a select: ready when a read from `source` (an io::Reader: a stream, a pipe, a buffered
/// reader), an accept() of `source` (a net::Listener), or receiving from `source` (a net::UdpSocket or
/// net::UnixDatagram), would probably not have to wait. Bytes that
/// `source` has buffered count. It reads nothing: another fiber may read first. An `f` that takes a
/// Result<void> also gets errors: Errc::closed, or the kernel's error if the descriptor cannot be waited for.
/// An `f` without arguments is not called then, and the select returns the error. In fibers only.
template <class Source, class F>
[[nodiscard]] auto readable(Source& source, F&& f) {
  bool buffered = false;
  if constexpr (requires { source.buffered(); }) buffered = source.buffered() > 0;
  return detail::WhenReady<F>(detail::StreamAccess::reading(source),
                              detail::ReadinessBranch::Operation::kRead, buffered, std::forward<F>(f));
}
/// The same for writing to `sink`, an io::Writer, or sending from it, a datagram socket.
template <class Sink, class F>
[[nodiscard]] auto writable(Sink& sink, F&& f) {
  return detail::WhenReady<F>(detail::StreamAccess::writing(sink), detail::ReadinessBranch::Operation::kWrite,
                              false, std::forward<F>(f));
}

/// A branch of a select: taken if no other branch is ready before `deadline`. A duration counts from now. If
/// there are several, the earliest counts.
template <class F>
[[nodiscard]] auto after(Deadline deadline, F&& f) {
  return detail::AfterDeadline<F>(deadline, std::forward<F>(f));
}

/// A branch of a select: taken if no other branch is ready now. A select with this branch does not wait. What
/// has just come to a stream counts once its event loop has looked: a loop that polls must yield().
template <class F>
[[nodiscard]] auto otherwise(F&& f) {
  return detail::Otherwise<F>(std::forward<F>(f));
}

/// Waits until one of `branches` is ready, takes it, and runs its function. The other branches have moved and
/// consumed nothing. If several are ready, each is taken with the same probability. The same channel may be
/// in several branches, also for sending and receiving; each waiting branch then has the same probability
/// too.
///
/// Suspends while no branch is ready, unless there is an otherwise() branch; blocks a plain thread. It ends
/// without a branch only if it has to wait, and the fiber is or was cancelled (Errc::cancelled), or the
/// enclosing scope has ended (Errc::cancelled, Errc::timed_out). Write loops as `while (select(...))`. An
/// exception of the function that runs leaves the select. Allocates nothing. Make the branches in the call;
/// they refer to their channels, values and handles.
///
///     weft::select(weft::receive(jobs, [&](weft::Result<Job> job) { ... }),
///                  weft::send(results, std::move(r), [&] { ... }),
///                  weft::after(5s, [&] { ... }));
template <detail::SelectArgument... Branches>
Selected select(Branches&&... branches) {
  return detail::select_among(true, branches...);
}

/// The same with priorities: if several branches are ready, the first one is taken. The same holds for
/// several branches that wait for one channel.
template <detail::SelectArgument... Branches>
Selected select_first(Branches&&... branches) {
  return detail::select_among(false, branches...);
}

}  // namespace weft
