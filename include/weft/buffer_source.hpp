// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace weft {

/// Lends a read its buffer for as long as there is something to read: a connection that waits holds none.
class BufferSource {
 public:
  /// Called when a read will probably find something. Not empty. May throw; does not suspend.
  virtual std::span<std::byte> take() = 0;
  /// Called when it found nothing after all, before the fiber waits (again), and when the read ends without
  /// bytes: at the end of the file, by an error. Also, before any take(), by a write that is followed by the
  /// read, once its data is sent or copied: the data may lie in the buffer.
  virtual void give_back() noexcept = 0;

 protected:
  ~BufferSource() = default;
};

}  // namespace weft
