// SPDX-License-Identifier: Apache-2.0
#pragma once

// A cancel scope that a peer's end ends; its type stays inside the library. No promises about this header.

#include <weft/detail/descriptor_handle.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

#include <cstddef>

namespace weft {

class Waiter;

namespace detail {

/// Made and destroyed in the scope around it, by the fiber that enters and leaves it in between, as often as
/// it likes. Nothing is registered or locked before somebody waits in it.
class PeerScopeCore {
 public:
  explicit PeerScopeCore(DescriptorHandle handle) noexcept;
  ~PeerScopeCore();
  PeerScopeCore(const PeerScopeCore&) = delete;
  PeerScopeCore& operator=(const PeerScopeCore&) = delete;

  /// It becomes the innermost scope of the fiber, and is ended by `end`.
  void enter(PeerEnd end) noexcept;
  void leave() noexcept;
  /// From now on by `end`. Inside.
  void change(PeerEnd end) noexcept;

  /// Whether the peer's end, or close(), has ended it, or the scope around it has ended.
  bool ended() const noexcept;
  Result<void> status() noexcept;

 private:
  class Node;
  Node& node() noexcept;
  const Node& node() const noexcept;

  alignas(std::max_align_t) std::byte bytes_[208];
};

}  // namespace detail
}  // namespace weft
