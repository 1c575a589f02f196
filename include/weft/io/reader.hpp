// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/buffer_source.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/io/progress.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <span>

namespace weft::io {

/// A source of bytes: a stream's receiving side, the reading end of a pipe, or a type of your own. Code that
/// only reads is written against this class, and then works with all of them.
///
/// Errors: those of the concrete type; Errc::end_of_file when no more bytes will come; Errc::closed,
/// Errc::cancelled, and Errc::timed_out from the `_until` forms. A read_some() that fails has moved no bytes.
///
/// Suspension, deadlines, thread safety: as the concrete type says; net::StreamSocket says it for sockets.
///
/// A type of your own overrides the first read_some_until() and wait_readable(). A read into a buffer that is
/// not empty gives at least one byte, or an error: 0 is a BUG, as loops would never end.
class Reader {
 public:
  virtual ~Reader() = default;

  /// Reads the available bytes, at least one, and returns their number. An empty buffer: 0 at once. May
  /// suspend.
  Result<std::size_t> read_some(MutableBuffer buffer) { return read_some_until(buffer, Deadline::never()); }
  virtual Result<std::size_t> read_some_until(MutableBuffer buffer, Deadline deadline) = 0;

  /// Reads the available bytes into several buffers, in order, and returns their total number. Uses at most
  /// the first 16 buffers that are not empty. Unless the type does better, it fills only the first of them.
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

  /// Bytes that were received already and wait in user space for a read: a read would not wait, whatever the
  /// kernel says. Zero for a type without a buffer of its own. select() asks for it.
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
  /// The descriptor that becomes readable when bytes come; none if there is no such descriptor.
  virtual weft::detail::DescriptorHandle descriptor() const noexcept { return {}; }
};

}  // namespace weft::io
