// SPDX-License-Identifier: Apache-2.0
#pragma once

// The wait node of a select's branch, in the memory that the branch lends for it.

#include "fiber/waiter.hpp"

#include <weft/detail/select_branch.hpp>

#include <cstddef>
#include <new>
#include <type_traits>

namespace weft::detail {

/// What a wait is won with on behalf of the branch of that rank.
inline WaitOutcome outcome_of_rank(std::uint16_t rank) noexcept {
  return static_cast<WaitOutcome>(static_cast<std::uint16_t>(WaitOutcome::kFirstBranch) + rank);
}

/// A new node for the wait of `ticket`.
template <class Node>
Node& make_node(std::byte* memory, Waiter& self, const WaitTicket& ticket) noexcept {
  static_assert(std::is_trivially_destructible_v<Node>);
  Node& node = *new (memory) Node();
  node.waiter = &self;
  node.ticket = ticket;
  return node;
}

template <class Node>
Node& node_in(std::byte* memory) noexcept {
  return *std::launder(reinterpret_cast<Node*>(memory));
}

}  // namespace weft::detail
