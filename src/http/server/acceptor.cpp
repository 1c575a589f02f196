// SPDX-License-Identifier: Apache-2.0
#include "http/server/acceptor.hpp"

#include "base/current_exception.hpp"
#include "base/limited_log.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <exception>

namespace weft::http::server {
namespace {

/// After a connection that could not be accepted or served; doubled while it goes on.
constexpr std::chrono::milliseconds kShortagePauseFirst{5};
constexpr std::chrono::milliseconds kShortagePauseMax{100};
/// In a row, of a server that drains: the rest of the queue is then given up. Some two seconds.
constexpr int kDrainShortagesMax = 20;
/// Connections taken by a drain at most: no queue is longer (net.core.somaxconn is 4,096 by default), and one
/// that new clients fill as fast as it is emptied must not keep the server for ever.
constexpr int kQueueMax = 64 * 1024;
/// How long connections whose handshake is under way are waited for: a round trip, with a margin. Shorter
/// than the second after which a client repeats a request that was dropped meanwhile.
constexpr std::chrono::milliseconds kHandshakeTimeout{200};

// A client chooses how many connections there are.
constinit LimitedLog shortage_log;

}  // namespace

void Acceptor::run() {
  accept_until_drained();
  if (drain_.begun()) empty_queue();
  [[maybe_unused]] const Result<void> closed = listener_->close();  // by nobody else before
}

// Only the drain, the listener's own end, or the fiber's, ends it. Whatever else happens is a shortage that
// may pass.
void Acceptor::accept_until_drained() {
  for (std::chrono::milliseconds pause = kShortagePauseFirst;;) {
    const Accepted accepted = serve_next([this] {
      const CancelScope until_drained(drain_.token());  // serving what was accepted goes on
      return listener_->accept_stream();
    });
    if (accepted == Accepted::kNoMore) return;
    if (accepted == Accepted::kServed) {
      pause = kShortagePauseFirst;
      continue;
    }
    if (const CancelScope until_drained(drain_.token()); !sleep(pause)) return;
    pause = std::min(pause * 2, kShortagePauseMax);
  }
}

// A close would reset what is queued: these clients are connected, and have perhaps sent a request. Until the
// drain's deadline, or the fiber is cancelled.
void Acceptor::empty_queue() {
  if (hands_over_ && !drain_.deadline().passed() && listener_->stop_admitting()) accept_begun();
  int shortages = 0;
  for (int taken = 0; taken < kQueueMax && !drain_.deadline().passed(); ++taken) {
    if (!checkpoint()) return;
    const Accepted accepted = serve_next([this] { return listener_->try_accept_stream(); });
    if (accepted == Accepted::kNoMore) return;
    if (accepted == Accepted::kServed) {
      shortages = 0;
    } else if (++shortages == kDrainShortagesMax || !sleep(kShortagePauseMax)) {
      return;
    }
  }
}

// A handshake that is under way when its listener closes ends with a reset, although the client thinks that
// it is connected. New ones are not begun any more, so these end soon.
void Acceptor::accept_begun() {
  const Deadline deadline = std::min(Deadline::after(kHandshakeTimeout), drain_.deadline());
  while (serve_next([&] { return listener_->accept_stream(deadline); }) == Accepted::kServed) {}
}

template <class Accept>
Acceptor::Accepted Acceptor::serve_next(Accept&& accept) {
  try {
    Result<std::unique_ptr<net::Stream>> stream = accept();
    if (stream) return serve_(std::move(*stream)), Accepted::kServed;
    const std::error_code error = stream.error();
    for (const Errc end : {Errc::closed, Errc::cancelled, Errc::timed_out, Errc::would_block}) {
      if (error == make_error_code(end)) return Accepted::kNoMore;
    }
    shortage_log.write({"weft: no connection could be accepted: ", error.message(), "; the server goes on"});
  } catch (const std::exception&) {  // std::bad_alloc, of a message too
    const CurrentException exception;
    shortage_log.write({"weft: a connection could not be served and is closed: ", exception.type(),
                        exception.separator(), exception.what(), "; the server goes on"});
  }
  return Accepted::kShortage;
}

}  // namespace weft::http::server
