// SPDX-License-Identifier: Apache-2.0
#pragma once

// A cancel scope that a peer's end ends; its type stays inside the library. No promises about this header.

#include <weft/detail/descriptor_handle.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

#include <cstddef>

namespace weft {

class CancelNode;

namespace detail {

/// Made and destroyed in the scope around it, by the fiber that enters and leaves it in between, as often as
/// it likes. Nothing is registered or locked before somebody waits in it.
class PeerScopeCore {
 public:
  PeerScopeCore(DescriptorHandle handle, PeerEnd end) noexcept;
  ~PeerScopeCore();
  PeerScopeCore(const PeerScopeCore&) = delete;
  PeerScopeCore& operator=(const PeerScopeCore&) = delete;

  /// It becomes the innermost scope of the fiber.
  void enter() noexcept;
  void leave() noexcept;
  /// A BUG if another fiber calls it than the one that has made it. What the user's mistakes go through.
  void require_own_fiber() const noexcept;
  /// Until leave() something else than what it was made with ends it. Inside.
  void change(PeerEnd end) noexcept;
  void change_back() noexcept;
  /// Forgets its end, for what is done in it from now on: that may be another one. Outside.
  void renew() noexcept;

  /// Calls `f` as if neither this scope were there nor those in it. Inside. For what may have to wait
  /// although this one has ended.
  template <class F>
  auto outside(F&& f) {
    struct StepBack {
      PeerScopeCore& core;
      CancelNode* const inner;
      ~StepBack() { core.step_back(inner); }
    } step_back{*this, step_outside()};
    return f();
  }

  /// Whether the peer's end, or close(), has ended it, or the scope around it has ended.
  bool ended() const noexcept;
  Result<void> status() noexcept;

 private:
  class Node;
  Node& node() noexcept;
  const Node& node() const noexcept;
  CancelNode* step_outside() noexcept;
  void step_back(CancelNode* inner) noexcept;

  alignas(std::max_align_t) std::byte bytes_[208];
};

}  // namespace detail
}  // namespace weft
