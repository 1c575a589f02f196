// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>

namespace weft {

/// How long the two halves of a write that is followed by a read may take.
struct ExchangeDeadlines {
  Deadline write = Deadline::never();
  Deadline read = Deadline::never();
};

}  // namespace weft
