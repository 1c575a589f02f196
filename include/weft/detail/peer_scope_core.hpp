// SPDX-License-Identifier: Apache-2.0
#pragma once

// A cancel scope that ends with a peer. The node's type is private to the library. Internal: this header may
// change at any time.

#include <weft/detail/descriptor_handle.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

#include <cstddef>

namespace weft {

class CancelNode;

namespace detail {

/// One fiber makes and destroys it in the enclosing scope, and may enter and leave it any number of times in
/// between. Nothing is registered or locked before the fiber waits in it.
class PeerScopeCore {
 public:
  PeerScopeCore(DescriptorHandle handle, PeerEnd end) noexcept;
  ~PeerScopeCore();
  PeerScopeCore(const PeerScopeCore&) = delete;
  PeerScopeCore& operator=(const PeerScopeCore&) = delete;

  /// Makes it the innermost scope of the fiber.
  void enter() noexcept;
  void leave() noexcept;
  /// BUG if the caller is not the fiber that made it.
  void require_own_fiber() const noexcept;
  /// Sets another end, until leave(). Called inside the scope.
  void change(PeerEnd end) noexcept;
  void change_back() noexcept;
  /// Makes a scope that has ended usable again. Called outside the scope.
  void renew() noexcept;

  /// Calls `f` as if neither this scope nor the scopes inside it existed: for calls that may have to wait
  /// even if this scope has ended. Called inside the scope.
  template <class F>
  auto outside(F&& f) {
    struct StepBack {
      PeerScopeCore& core;
      CancelNode* const inner;
      ~StepBack() { core.step_back(inner); }
    } step_back{*this, step_outside()};
    return f();
  }

  /// Whether the scope has ended: by the peer, by close(), or with the enclosing scope.
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
