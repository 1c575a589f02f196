// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/descriptor/descriptor.hpp"

#include <weft/result.hpp>

namespace weft {

/// Gives a closed descriptor's number back to the kernel and its record to the arena; wakes the closer.
/// REQUIRES: leave() returned true for the caller.
void retire_descriptor(Descriptor& descriptor) noexcept;

/// What close() does, for callers without a loop (a destructor on a plain thread, too): ends the file, wakes
/// its waiters with Errc::closed, waits until the number was given back.
Result<void> close_descriptor(DescriptorHandle handle) noexcept;

/// A user of a descriptor, for a scope: while it lives the fd number is not given back (L9).
class DescriptorUse {
 public:
  explicit DescriptorUse(DescriptorHandle handle) noexcept {
    if (handle.descriptor == nullptr) return;
    bool last = false;
    if (handle.descriptor->usage.enter(handle.generation, last)) [[likely]] {
      descriptor_ = handle.descriptor;
    } else if (last) {
      retire_descriptor(*handle.descriptor);
    }
  }

  ~DescriptorUse() {
    if (descriptor_ != nullptr && descriptor_->usage.leave()) [[unlikely]]
      retire_descriptor(*descriptor_);
  }

  DescriptorUse(const DescriptorUse&) = delete;
  DescriptorUse& operator=(const DescriptorUse&) = delete;

  /// False: the file has been closed.
  explicit operator bool() const noexcept { return descriptor_ != nullptr; }
  Descriptor& operator*() const noexcept { return *descriptor_; }
  Descriptor* operator->() const noexcept { return descriptor_; }

  /// Leaves early and says whether the caller must retire the descriptor.
  [[nodiscard]] bool leave() noexcept {
    Descriptor* const descriptor = descriptor_;
    descriptor_ = nullptr;
    return descriptor->usage.leave();
  }

 private:
  Descriptor* descriptor_ = nullptr;
};

}  // namespace weft
