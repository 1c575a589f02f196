// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weft::http {

/// No limit on a size.
inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// What a server accepts from a peer before it answers with an error and closes the connection.
///
/// On by default. Sizes are in bytes and inclusive: a message exactly at a limit passes. Every value is
/// allowed: a size that cannot be reached, such as `kUnlimited`, is no limit; a time too long to be counted
/// never passes, and a negative one has passed.
struct Limits {
  /// From the first byte of a request to the end of its target; more is 414.
  std::size_t request_line_size_max = 8 * 1024;
  /// Request line and header lines together, with the empty line; more is 431, or 414 where the target alone
  /// is more. A head above 18 KiB costs its connection a larger buffer until its response is sent. Values
  /// above 1 MiB count as 1 MiB.
  std::size_t head_size_max = 16 * 1024;
  /// Header lines; more is 431. Values above 128 count as 128.
  std::size_t header_count_max = 100;
  /// Of the decoded body; more is 413. `kUnlimited` for services that stream.
  std::uint64_t body_size_max = 1024 * 1024;
  /// What a chunked body may spend on chunk lines, extensions and trailers beyond 8 bytes for each byte
  /// of data; more is 431.
  std::size_t chunk_overhead_max = 16 * 1024;
  /// Connections that are open at a time, those that linger too (`linger_timeout`). At the cap the server
  /// takes no other but one for each context that accepts, which waits: further clients wait in the kernel's
  /// queue (ServeOptions::backlog) until a connection ends. That is said on standard error. 0: what the soft
  /// limit of open files (RLIMIT_NOFILE) allows when the server is made, less an eighth, and at least 64, for
  /// other files. Not 503: a client would have to be accepted for it, and would come again at once.
  std::size_t connections_max = 0;
  /// How much of a body that its handler left unread is read and dropped to keep the connection.
  std::uint64_t unread_body_size_max = 64 * 1024;
  /// Status line and header lines of a response; a header line for which there is no room fails with
  /// `Errc::message_too_large`. A head above 8 KiB costs its connection a larger buffer until it is sent.
  /// Values below 8 KiB count as 8 KiB.
  std::size_t response_head_size_max = 64 * 1024;

  /// Whether a client that has sent its whole request and then ends sending counts as gone, as most have
  /// closed then: the cancel scope of its handler ends. A request is whole when its handler has read the body
  /// to its end: before that only a reset is noticed, as an end may be the end of an upload. False: only a
  /// reset ends it, so that clients which shut down their sending side and wait for the response (`nc -N`)
  /// are waited for.
  bool half_close_cancels = true;

  /// From the first byte of a request to the end of its head; later is 408.
  std::chrono::milliseconds head_timeout{20'000};
  /// How long one read of a body may take; later is 408.
  std::chrono::milliseconds body_timeout{20'000};
  /// The least average rate of a body, in bytes per second; slower is 408. The rate is checked once the
  /// server has waited for `body_timeout` in all. Only time spent on waiting for the body counts. 0: no such
  /// limit.
  std::uint64_t body_rate_min = 500;
  /// How long all reads of a body may wait for it together; later is 408. For services whose bodies are
  /// streams: raise it, with `body_size_max`.
  std::chrono::milliseconds body_total_timeout{600'000};
  /// How long a client may take nothing of a response; after that, at the latest after twice the time, the
  /// connection is closed.
  std::chrono::milliseconds write_timeout{20'000};
  /// How long a connection may wait for its next request.
  std::chrono::milliseconds idle_timeout{60'000};
  /// For how long a client is listened to after the last response of its connection: what it still sends, the
  /// rest of a body or a stray line, is dropped, so that it can read the response to its end. It ends with
  /// the client's close, after 2 s without a byte, and after 64 MiB. 0: closed at once.
  std::chrono::milliseconds linger_timeout{10'000};

  /// While the server drains: how long after it was accepted a connection may wait for its first request,
  /// which is served (as Go's does). It may have been sent before the client could know.
  std::chrono::milliseconds first_request_grace{5'000};
  /// While the server drains: how long after stop() a kept-alive connection may stay idle, before wait()
  /// closes it. A request that comes by then is served, and its client told that the connection ends. 0: idle
  /// connections are closed at once; a client that sends its next request at that moment must send it again
  /// (RFC 9112, 9.3.1). Some round-trip times, or the time between two requests, where another server takes
  /// over and no client should notice.
  std::chrono::milliseconds idle_grace{0};
};

}  // namespace weft::http
