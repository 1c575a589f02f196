// SPDX-License-Identifier: Apache-2.0
#pragma once

// The library's own types that public headers must name: they stand in weft::detail, so that no user meets
// them in weft, and the sources call them by their short names.

namespace weft {

namespace detail {
class Context;
class Fiber;
class WaitDescription;
class WaitTicket;
class Waiter;
}  // namespace detail

using detail::Context;
using detail::Fiber;
using detail::WaitDescription;
using detail::Waiter;
using detail::WaitTicket;

}  // namespace weft
