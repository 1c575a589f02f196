// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/descriptor.hpp"

#include <weft/result.hpp>

namespace weft {

/// What stands behind a descriptor that is not a file of the kernel's (a simulated stream).
class DescriptorBackend {
 public:
  /// As EventLoop::close. Any thread of the simulation.
  virtual Result<void> close(DescriptorHandle handle) noexcept = 0;

 protected:
  ~DescriptorBackend() = default;
};

}  // namespace weft
