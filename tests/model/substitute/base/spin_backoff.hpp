// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"

namespace weft {

/// A model has no time: to look again is enough.
class SpinBackoff {
 public:
  void pause() noexcept { cpu_relax(); }
};

}  // namespace weft
