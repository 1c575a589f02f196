// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/network.hpp"

namespace weft {

/// The sockets and pipes of the kernel.
Network& kernel_network() noexcept;

}  // namespace weft
