// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <utility>

namespace weft {

/// A copyable wish to be told when something is cancelled: the std::stop_token of a cancel scope
/// (CancelScope::token()), or of any std::stop_source. It may outlive what it came from, and be used by any
/// thread.
///
/// A scope of another fiber, a detached one too, is bound to it by `CancelScope scope(token)`; code that
/// knows nothing of weft gets stop_token(). An empty token never asks anybody to stop.
class CancelToken {
 public:
  CancelToken() noexcept = default;
  CancelToken(std::stop_token token) noexcept : token_(std::move(token)) {}  // NOLINT: it is one

  /// Whether it was asked to stop. A scope whose deadline has passed asks when somebody in it notices: its
  /// next wait, CancelScope::status(), or the end of its block. A scope that is left open never asks, see
  /// CancelScope::token().
  bool cancelled() const noexcept { return token_.stop_requested(); }
  /// False: cancelled() never will be true, as nobody is left who could ask.
  bool can_be_cancelled() const noexcept { return token_.stop_possible(); }

  const std::stop_token& stop_token() const noexcept { return token_; }

 private:
  std::stop_token token_;
};

}  // namespace weft
