// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/buffer_source.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/file_source.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/io/progress.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <span>

namespace weft::io {

/// A source of bytes: the receiving side of a stream, the reading end of a pipe, or a type of your own. Write
/// code that only reads against this class; it then works with all of them.
///
/// Errors: those of the concrete type; Errc::end_of_file when no more bytes will come; Errc::closed,
/// Errc::cancelled, and Errc::timed_out from the `_until` forms. A read_some() that fails has moved no bytes.
///
/// Suspension, deadlines, thread safety: see the concrete type, for sockets net::StreamSocket.
///
/// A type of your own overrides the first read_some_until() and wait_readable(). A read into a buffer that is
/// not empty gives at least one byte, or an error: 0 is a BUG, as loops would never end.
class Reader {
 public:
  virtual ~Reader() = default;

  /// Reads the available bytes, at least one, and returns their number. With an empty buffer it returns 0 at
  /// once. May suspend.
  Result<std::size_t> read_some(MutableBuffer buffer) { return read_some_until(buffer, Deadline::never()); }
  virtual Result<std::size_t> read_some_until(MutableBuffer buffer, Deadline deadline) = 0;

  /// Reads the available bytes into several buffers, in order, and returns their total number. Uses at most
  /// the first 16 buffers that are not empty. A type that does not override it fills only the first of them.
  Result<std::size_t> read_some(std::span<const std::span<std::byte>> buffers) {
    return read_some_until(buffers, Deadline::never());
  }
  virtual Result<std::size_t> read_some_until(std::span<const std::span<std::byte>> buffers,
                                              Deadline deadline);

  /// Like read_some(), but takes the buffer from `source` only when there is probably something to read. If
  /// bytes were read, the buffer stays taken. At the end of the file and after an error it was given back.
  /// Meant for servers with many idle connections.
  virtual Result<std::size_t> read_some_until(BufferSource& source, Deadline deadline);

  /// Suspends until a read would probably not have to wait. Use it to allocate a buffer only then.
  virtual Result<void> wait_readable(Deadline deadline = Deadline::never()) = 0;

  /// The number of bytes that were received already and are buffered in user space. If it is not zero, a read
  /// does not wait. Zero for a type without a buffer of its own. select() uses it.
  virtual std::size_t buffered() const noexcept { return 0; }

  /// Fills the whole buffer. Errc::end_of_file if the bytes end before that. May suspend.
  Progress read_exact(MutableBuffer buffer) { return read_exact_until(buffer, Deadline::never()); }
  Progress read_exact_until(MutableBuffer buffer, Deadline deadline);

 protected:
  Reader() noexcept = default;
  Reader(const Reader&) noexcept = default;
  Reader& operator=(const Reader&) noexcept = default;

 private:
  friend struct weft::detail::StreamAccess;
  /// The descriptor that becomes readable when bytes arrive; empty if there is no such descriptor.
  virtual weft::detail::DescriptorHandle descriptor() const noexcept { return {}; }
  /// The file that the bytes come from; null if there is no such file.
  virtual weft::detail::FileSource* file_source() noexcept { return nullptr; }
};

}  // namespace weft::io
