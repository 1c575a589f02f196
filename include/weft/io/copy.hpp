// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/io/progress.hpp>
#include <weft/io/reader.hpp>
#include <weft/io/writer.hpp>

#include <cstdint>

namespace weft::io {

/// Options for copy().
struct CopyOptions {
  /// The number of bytes after which copying ends with success.
  std::uint64_t size_max = UINT64_MAX;
  Deadline deadline = Deadline::never();
};

/// Reads from `from` and writes to `to` until the end of the file. Returns the number of bytes that were
/// written, and the error if copying has failed. It closes neither side, and does not end the sending of
/// `to`.
///
///     auto copied = weft::io::copy(client, server);   // one direction of a proxy
///     server.shutdown(weft::net::ShutdownMode::kWrite);
///
/// Between sockets and pipes of the kernel the bytes stay in the kernel (splice(2)), except bytes that `from`
/// has buffered. The copy holds a pipe, which is two descriptors, while bytes come and for 100 ms after that.
/// Bytes of an fs::File that are in memory go to a socket or pipe by sendfile(2), in pieces of up to 1 MiB;
/// those that are on the disk only are read as by File::read_some(), so that no thread waits for the disk.
/// Otherwise the bytes go through a buffer of 64 KiB, which is held only while there are bytes.
///
/// Errors: those of reading and of writing; Errc::timed_out at the deadline, which is also checked after each
/// piece. Bytes that were read and could not be written are lost. Suspends.
///
/// Thread safety: other fibers may use `from` and `to` as their types allow. A piece of up to 64 KiB is
/// written without bytes of other writers in it.
Progress copy(Reader& from, Writer& to, const CopyOptions& options = {});

}  // namespace weft::io
