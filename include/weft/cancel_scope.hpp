// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/cancel_token.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/cancel_node_storage.hpp>
#include <weft/result.hpp>

#include <functional>
#include <optional>
#include <stop_token>
#include <utility>

namespace weft {

/// Makes everything cancellable that the calling fiber, or plain thread, does until the end of the block give
/// up together: at a deadline, when cancel() is called, or when a token asks for it.
///
///     weft::CancelScope scope(2s);
///     auto reply = client.get(url);   // and whatever it calls: Errc::timed_out after 2 s
///
/// Inherited by calls, by scopes within it and by the children of groups made in it, also in other contexts;
/// not by fibers that spawn() starts, which may outlive it. Sticky: once it has ended, every cancellable wait
/// in it fails at once, all with the same error; what need not wait may still succeed for a while. A deadline
/// given to a call counts if it is earlier; both give Errc::timed_out. What a cancelled call leaves behind:
/// docs/guide/cancellation.md.
///
/// cancel(), status(), deadline(): any thread, while the scope lives. All else: its fiber. Scopes end in the
/// reverse order of their making, in the fiber that made them, and after the groups made in them (BUG).
/// Neither making nor ending one suspends or allocates.
class CancelScope {
 public:
  /// Ended by cancel() only, or with the scope around it.
  CancelScope() noexcept : CancelScope(Deadline::never()) {}
  explicit CancelScope(Deadline deadline) noexcept { node_.enter(deadline); }
  /// Ended also when `token` asks to stop; at once if it has. A std::stop_token is one.
  explicit CancelScope(const CancelToken& token, Deadline deadline = Deadline::never());
  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

  /// Ends it: who waits in it is woken with Errc::cancelled. No effect when it has ended. Does not wait.
  void cancel() noexcept { node_.cancel(); }

  /// Success while it is open; else the error that calls in it fail with. Looks at the clock. The scopes
  /// around it are considered, the fiber's own cancellation is not: this_fiber::cancel_requested() is for
  /// both.
  Result<void> status() noexcept { return node_.status(); }

  /// Its own, or that of a scope around it, if earlier.
  Deadline deadline() const noexcept { return node_.deadline(); }

  /// A token that asks to stop when this scope has ended: by cancel(), by the token it was made with, with a
  /// scope around it, or because its deadline has passed (noticed by the next wait in it, by status(), or
  /// when the block is left). Leaving the block is no end of this kind, as with a std::stop_source that is
  /// destroyed: the token of a scope that was open until then never asks, and can_be_cancelled() of it is
  /// false from then on. To stop others with a block, call cancel() at its end, or make them a group's
  /// children. Allocates, once for a scope. By its fiber.
  CancelToken token();

 private:
  struct Cancel {
    CancelScope* scope;
    void operator()() const noexcept { scope->cancel(); }
  };

  detail::CancelNodeStorage node_;
  std::optional<std::stop_callback<Cancel>> bound_;
  std::stop_token token_;
};

/// A scope that inherits nothing: neither the scopes around it, nor the fiber's cancellation. For clean-up
/// that has to wait. Give it a deadline: nothing else limits it, and a context that ends waits for it.
///
///     weft::CancelShield shield(1s);
///     stream.write_all(goodbye);
///
/// Groups made in it are shielded with it. Otherwise as CancelScope.
class CancelShield {
 public:
  explicit CancelShield(Deadline deadline = Deadline::never()) noexcept { node_.enter_shield(deadline); }
  ~CancelShield() { node_.leave(); }
  CancelShield(const CancelShield&) = delete;
  CancelShield& operator=(const CancelShield&) = delete;

  void cancel() noexcept { node_.cancel(); }
  Result<void> status() noexcept { return node_.status(); }
  Deadline deadline() const noexcept { return node_.deadline(); }

 private:
  detail::CancelNodeStorage node_;
};

/// Calls `f` in a CancelShield and returns what it returns.
///
///     weft::shield([&] { return stream.write_all(goodbye); }, 1s);
template <class F>
decltype(auto) shield(F&& f, Deadline deadline = Deadline::never()) {
  const CancelShield shielded(deadline);
  return std::invoke(std::forward<F>(f));
}

}  // namespace weft
