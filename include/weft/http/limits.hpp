// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weft::http {

/// The value for "no limit" on a size.
inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

/// The limits of a server. A peer that exceeds one gets an error response, and its connection is closed.
///
/// All limits are on by default. Sizes are in bytes and inclusive: a message exactly at a limit passes. Every
/// value is allowed. A size that cannot be reached, such as `kUnlimited`, switches a limit off. A time too
/// long to represent never passes; a negative time has passed.
struct Limits {
  /// The size from the first byte of a request to the end of its target. Above it: 414.
  std::size_t request_line_size_max = 8 * 1024;
  /// The size of the request line and all header lines, with the empty line. Above it: 431, or 414 if the
  /// target alone is larger. A head above 18 KiB costs its connection a larger buffer until its response is
  /// sent. Values above 1 MiB count as 1 MiB.
  std::size_t head_size_max = 16 * 1024;
  /// The number of header lines. Above it: 431. Values above 128 count as 128.
  std::size_t header_count_max = 100;
  /// The size of the decoded body. Above it: 413. Use `kUnlimited` for services that stream.
  std::uint64_t body_size_max = 1024 * 1024;
  /// The bytes that a chunked body may use for chunk lines, extensions and trailers, beyond 8 bytes for each
  /// byte of data. Above it: 431.
  std::size_t chunk_overhead_max = 16 * 1024;
  /// The number of open connections, lingering ones included (`linger_timeout`). At the limit the server
  /// accepts only one more for each accepting context, and that one waits. Further clients wait in the
  /// kernel's queue (ServeOptions::backlog) until a connection ends. The server writes a message to standard
  /// error.
  ///
  /// 0: the soft limit of open files (RLIMIT_NOFILE) when the server is made, less an eighth and at least 64
  /// for other files. The server does not answer with 503: it would have to accept the client for that, and
  /// the client would come back at once.
  std::size_t connections_max = 0;
  /// The bytes of an unread body that are read and dropped to keep the connection.
  std::uint64_t unread_body_size_max = 64 * 1024;
  /// The size of the status line and all header lines of a response. A header line that does not fit fails
  /// with `Errc::message_too_large`. A head above 8 KiB costs its connection a larger buffer until it is
  /// sent. Values below 8 KiB count as 8 KiB.
  std::size_t response_head_size_max = 64 * 1024;

  /// True: a client that ends sending after its whole request counts as gone, because most such clients have
  /// closed the connection. The cancel scope of its handler then ends. A request is whole when its handler
  /// has read the body to its end. Before that only a reset ends the scope, because the end may be the end of
  /// an upload. False: only a reset ends the scope. Use it for clients that shut down their sending side and
  /// wait for the response (`nc -N`).
  bool half_close_cancels = true;

  /// The time from the first byte of a request to the end of its head. Later: 408.
  std::chrono::milliseconds head_timeout{20'000};
  /// The time that one read of a body may take. Later: 408.
  std::chrono::milliseconds body_timeout{20'000};
  /// The least average rate of a body, in bytes per second. Slower: 408. The rate is checked once the server
  /// has waited for `body_timeout` in total. Only the time that it waits for the body counts. 0: no limit.
  std::uint64_t body_rate_min = 500;
  /// The time that all reads of a body may wait in total. Later: 408. Raise it, and `body_size_max`, for
  /// services whose request bodies are streams.
  std::chrono::milliseconds body_total_timeout{600'000};
  /// The time for which a client may take no bytes of a response. The connection is closed after it, at the
  /// latest after twice the time.
  std::chrono::milliseconds write_timeout{20'000};
  /// The time for which a connection may wait for its next request.
  std::chrono::milliseconds idle_timeout{60'000};
  /// The time for which a connection is read after its last response. What the client still sends, such as
  /// the rest of a body, is dropped, so that the client can read the response to its end. Lingering ends
  /// earlier when the client closes, after 2 s without a byte, and after 64 MiB. 0: the connection is closed
  /// at once.
  std::chrono::milliseconds linger_timeout{10'000};

  /// During a drain: the time after its accept for which a new connection may wait for its first request. The
  /// request is served (like in Go), because the client may have sent it before it could know of the drain.
  std::chrono::milliseconds first_request_grace{5'000};
  /// During a drain: the time after stop() for which a kept-alive connection may stay idle before wait()
  /// closes it. A request that comes by then is served, and its response says that the connection ends. 0:
  /// idle connections are closed at once; a client that sends its next request at that moment must send it
  /// again (RFC 9112, 9.3.1). Use some round-trip times, or the usual time between two requests, if another
  /// server continues and no client should notice.
  std::chrono::milliseconds idle_grace{0};
  /// What Server::wait() does when its fiber is cancelled while the server accepts, for example by a signal
  /// of RunOptions::stop_on: it drains the server as stop() does, for at most this time, and then returns the
  /// error. 0: it stops the server at once.
  std::chrono::milliseconds cancel_grace{0};
};

}  // namespace weft::http
