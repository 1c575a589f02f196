// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/io/progress.hpp>
#include <weft/io/reader.hpp>
#include <weft/io/writer.hpp>

#include <cstdint>

namespace weft::io {

/// How copy() copies.
struct CopyOptions {
  /// Copying ends after so many bytes, which is success.
  std::uint64_t size_max = UINT64_MAX;
  Deadline deadline = Deadline::never();
};

/// Writes to `to` what it reads from `from`, until the end of the file: how many bytes were written, and why
/// not all. It closes neither, and does not end the sending of `to`.
///
///     auto copied = weft::io::copy(client, server);   // one direction of a proxy
///     server.shutdown(weft::net::ShutdownMode::kWrite);
///
/// Between sockets and pipes of the kernel the bytes stay in the kernel (splice(2)), except those that `from`
/// has buffered; a pipe, two descriptors, is held while bytes come, and for 100 ms more. Elsewhere they go
/// through a buffer of 64 KiB, which is held only while there are bytes.
///
/// Errors: those of reading and of writing; Errc::timed_out at the deadline, which is checked after each
/// piece, too. Bytes that were read and could not be written are lost. Suspends.
///
/// Thread safety: `from` and `to` may be used by other fibers in the way that their types allow; a piece of
/// up to 64 KiB is written in one turn.
Progress copy(Reader& from, Writer& to, const CopyOptions& options = {});

}  // namespace weft::io
