// SPDX-License-Identifier: Apache-2.0
#pragma once

// Room for a node of the tree of cancel scopes, whose type stays inside the library. No promises about this
// header.

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <cstddef>

namespace weft {

class CancelNode;

namespace detail {

/// Construction makes the node, which is then entered and left once, by the same fiber or thread.
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
  /// The error that something in it was given because it had ended; else success. By the waiter.
  Result<void> stopped() const noexcept;
  Deadline deadline() const noexcept;

  CancelNode& node() noexcept { return *reinterpret_cast<CancelNode*>(bytes_); }
  const CancelNode& node() const noexcept { return *reinterpret_cast<const CancelNode*>(bytes_); }

 private:
  alignas(std::max_align_t) std::byte bytes_[96];
};

}  // namespace detail
}  // namespace weft
