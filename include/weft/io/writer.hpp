// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/io/progress.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <span>

namespace weft::io {

/// A sink of bytes: the sending side of a stream, the writing end of a pipe, or a type of your own. Write
/// code that only writes against this class; it then works with all of them.
///
/// Errors: those of the concrete type, EPIPE when there is no reader any more; Errc::closed, Errc::cancelled,
/// and Errc::timed_out from the `_until` forms. A write_some() that fails has moved no bytes.
///
/// Suspension, deadlines, thread safety: see the concrete type, for sockets net::StreamSocket.
///
/// A type of your own overrides write_some_until() and wait_writable(). A write of data that is not empty
/// takes at least one byte, or fails: 0 is a BUG, as loops would never end.
class Writer {
 public:
  virtual ~Writer() = default;

  /// Writes as many bytes as there is room for, at least one, and returns their number. With empty data it
  /// returns 0 at once. May suspend.
  Result<std::size_t> write_some(ConstBuffer data) { return write_some_until(data, Deadline::never()); }
  virtual Result<std::size_t> write_some_until(ConstBuffer data, Deadline deadline) = 0;

  /// Writes all of `data`. May suspend.
  Progress write_all(ConstBuffer data) { return write_all_until(data, Deadline::never()); }
  virtual Progress write_all_until(ConstBuffer data, Deadline deadline);

  /// Writes several buffers, in order, as if they were one. May suspend. A type that does not override it
  /// writes each buffer separately.
  Progress write_all(std::span<const std::span<const std::byte>> buffers) {
    return write_all_until(buffers, Deadline::never());
  }
  virtual Progress write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline);

  /// Suspends until a write would probably not have to wait.
  virtual Result<void> wait_writable(Deadline deadline = Deadline::never()) = 0;

 protected:
  Writer() noexcept = default;
  Writer(const Writer&) noexcept = default;
  Writer& operator=(const Writer&) noexcept = default;

 private:
  friend struct weft::detail::StreamAccess;
  /// The descriptor that becomes writable when there is room; empty if there is no such descriptor.
  virtual weft::detail::DescriptorHandle descriptor() const noexcept { return {}; }
};

}  // namespace weft::io
