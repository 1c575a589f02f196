// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

namespace weft {

/// Lends a buffer to a read only while there is something to read. A connection that waits holds no buffer.
class BufferSource {
 public:
  /// Called when a read will probably find something. Returns a buffer that is not empty. May throw. Must not
  /// suspend.
  virtual std::span<std::byte> take() = 0;
  /// Called when the read has found nothing and the fiber is about to wait (again), and when the read ends
  /// without bytes, at the end of the file or with an error. May be called without a take(). A call that
  /// writes before it reads also calls it before any take(), as soon as its data is sent or copied, because
  /// the data may lie in the buffer.
  virtual void give_back() noexcept = 0;

 protected:
  ~BufferSource() = default;
};

}  // namespace weft
