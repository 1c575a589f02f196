// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two halves of "cancelled at birth" (docs/design/contexts.md), for contexts and for their model: the
// closer says that the context closes, then cancels every fiber it finds; a new fiber can be found, then
// looks whether its context closes. Store buffering: between the two steps of each stands a full fence, so
// one of them sees the other.

#include "base/atomic.hpp"

namespace weft {

/// `say` stores that the context closes; `cancel_all` cancels every fiber that can be found.
template <class Say, class CancelAll>
void close_and_cancel(Say&& say, CancelAll&& cancel_all) noexcept {
  say();
  full_fence();  // pairs with the one below
  cancel_all();
}

/// By a fiber that can be found since a moment ago: whether it was born into a context that closes, and has
/// to cancel itself. `closing` looks.
template <class Closing>
[[nodiscard]] bool born_while_closing(Closing&& closing) noexcept {
  full_fence();  // pairs with the one above
  return closing();
}

}  // namespace weft
