// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>

namespace weft {

/// The deadlines of the two halves of a call that writes and then reads.
struct ExchangeDeadlines {
  Deadline write = Deadline::never();
  Deadline read = Deadline::never();
};

}  // namespace weft
