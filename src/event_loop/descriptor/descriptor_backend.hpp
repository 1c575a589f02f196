// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// What stands behind a descriptor that is not a file of the kernel's (a simulated stream).
class DescriptorBackend {
 public:
  /// The file has been closed and its last user has left (L9): what closing does for a kernel's file.
  /// Called once, before the record may stand for another file, without a lock. Any thread. Suspends: no.
  virtual void end() noexcept = 0;

 protected:
  ~DescriptorBackend() = default;
};

}  // namespace weft
