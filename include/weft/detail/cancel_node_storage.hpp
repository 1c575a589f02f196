// SPDX-License-Identifier: Apache-2.0
#pragma once

// Storage for a node of the tree of cancel scopes. The node's type is private to the library. Internal: this
// header may change at any time.

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <cstddef>

namespace weft {

class CancelNode;

namespace detail {

/// The constructor makes the node. The node is then entered once and left once, by the same fiber or thread.
class CancelNodeStorage {
 public:
  CancelNodeStorage() noexcept;
  ~CancelNodeStorage();
  CancelNodeStorage(const CancelNodeStorage&) = delete;
  CancelNodeStorage& operator=(const CancelNodeStorage&) = delete;

  void enter(Deadline deadline) noexcept;
  void enter_shield(Deadline deadline) noexcept;
  void leave() noexcept;
  void cancel() noexcept;
  Result<void> status() noexcept;
  /// The error that a call in the scope got because the scope had ended; success if there was none. Called by
  /// the waiter.
  Result<void> stopped() const noexcept;
  Deadline deadline() const noexcept;

  CancelNode& node() noexcept { return *reinterpret_cast<CancelNode*>(bytes_); }
  const CancelNode& node() const noexcept { return *reinterpret_cast<const CancelNode*>(bytes_); }

 private:
  alignas(std::max_align_t) std::byte bytes_[96];
};

}  // namespace detail
}  // namespace weft
