// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <utility>

namespace weft {

/// Tells its holder when something is cancelled. It wraps the std::stop_token of a cancel scope
/// (CancelScope::token()) or of any std::stop_source. It can be copied, may outlive its source, and may be
/// used by any thread.
///
/// `CancelScope scope(token)` binds a scope of another fiber to it, also in a detached fiber. For code that
/// does not use weft there is stop_token(). An empty token never asks to stop.
class CancelToken {
 public:
  CancelToken() noexcept = default;
  CancelToken(std::stop_token token) noexcept : token_(std::move(token)) {}  // NOLINT: it is one

  /// Whether the source has asked to stop. A scope whose deadline has passed asks when its next wait,
  /// CancelScope::status(), or the end of its block notices it. A scope that is left before it has ended
  /// never asks, see CancelScope::token().
  bool cancelled() const noexcept { return token_.stop_requested(); }
  /// False if cancelled() can never become true, because no source is left.
  bool can_be_cancelled() const noexcept { return token_.stop_possible(); }

  const std::stop_token& stop_token() const noexcept { return token_; }

 private:
  std::stop_token token_;
};

}  // namespace weft
