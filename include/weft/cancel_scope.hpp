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

/// Ends every cancellable wait in the block together: at a deadline, when cancel() is called, or when a token
/// asks for it. The waits are those of the calling fiber or plain thread.
///
///     weft::CancelScope scope(2s);
///     auto reply = ask(server);   // every wait in it fails with Errc::timed_out after 2 s
///
/// Inheritance: a scope holds for the calls in its block, for the scopes within it, and for the children of
/// groups made in it, also in other contexts. It does not hold for fibers that spawn() starts, because they
/// may outlive it.
///
/// An end is permanent: once the scope has ended, every cancellable wait in it fails at once, all with the
/// same error. A call that does not have to wait may still succeed for a while. If a call has a deadline of
/// its own, the earlier one counts; both give Errc::timed_out. docs/guide/cancellation.md says what state a
/// cancelled call leaves.
///
/// Thread safety: any thread may call cancel(), status() and deadline() while the scope lives. Everything
/// else belongs to its fiber. Scopes end in the reverse order of their making, in the fiber that made them,
/// and after the groups made in them; otherwise BUG. Making and ending a scope neither suspends nor
/// allocates.
class CancelScope {
 public:
  /// A scope without a deadline: cancel() ends it, or the end of an enclosing scope.
  CancelScope() noexcept : CancelScope(Deadline::never()) {}
  explicit CancelScope(Deadline deadline) noexcept { node_.enter(deadline); }
  /// A scope that also ends when `token` asks to stop; at once if it has asked before. A std::stop_token
  /// converts to a token.
  explicit CancelScope(const CancelToken& token, Deadline deadline = Deadline::never());
  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

  /// Ends the scope: waits in it fail with Errc::cancelled. No effect if it has ended. Does not wait.
  void cancel() noexcept { node_.cancel(); }

  /// Success while the scope has not ended; else the error that calls in it fail with. Reads the clock.
  /// Considers the enclosing scopes, but not a cancellation of the fiber itself;
  /// this_fiber::cancel_requested() considers both.
  Result<void> status() noexcept { return node_.status(); }

  /// The deadline of the scope, or of an enclosing scope if that is earlier.
  Deadline deadline() const noexcept { return node_.deadline(); }

  /// A token that asks to stop when this scope ends: by cancel(), by the token it was made with, with an
  /// enclosing scope, or by its deadline. The next wait in the scope, status(), or the end of the block
  /// notices a deadline that has passed.
  ///
  /// Leaving the block does not make the token ask, like the destruction of a std::stop_source. If the scope
  /// has not ended by then, the token never asks, and its can_be_cancelled() is false from then on. To stop
  /// other fibers at the end of a block, call cancel() there, or make them the children of a group. Allocates
  /// once for each scope. Called by the scope's fiber.
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

/// A scope that inherits nothing: neither the end of enclosing scopes nor the cancellation of the fiber. Use
/// it for clean-up that has to wait. Give it a deadline: nothing else limits it, and a context that shuts
/// down waits for it.
///
///     weft::CancelShield shield(1s);
///     stream.write_all(goodbye);
///
/// Groups made in it are shielded too. Otherwise like CancelScope.
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

/// Calls `f` in a CancelShield and returns its result.
///
///     weft::shield([&] { return stream.write_all(goodbye); }, 1s);
template <class F>
decltype(auto) shield(F&& f, Deadline deadline = Deadline::never()) {
  const CancelShield shielded(deadline);
  return std::invoke(std::forward<F>(f));
}

}  // namespace weft
