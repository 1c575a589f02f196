// SPDX-License-Identifier: Apache-2.0
#pragma once

// The end of a server, as its acceptors, connections and handlers see it (docs/design/http-server.md,
// "Drain").
//
// Thread safety: begin() with the server's lock; all else by any thread.

#include "base/atomic.hpp"

#include <weft/cancel_token.hpp>
#include <weft/deadline.hpp>

#include <cstdint>
#include <stop_token>

namespace weft::http::server {

class Drain {
 public:
  /// `idle_grace_ns`: how long connections may stay idle after the beginning. Throws std::bad_alloc.
  explicit Drain(std::int64_t idle_grace_ns) : idle_grace_ns_(idle_grace_ns) {}

  /// No further request is wanted. Of several calls the earliest deadline counts.
  void begin(Deadline deadline) noexcept;
  /// Asks all who hold a token to stop: runs their callbacks. After begin(), without a lock.
  void announce() noexcept { source_.request_stop(); }

  /// Connections may stay idle until idle_until(); else they end at once.
  bool keeps_idle() const noexcept { return idle_grace_ns_ > 0; }
  bool begun() const noexcept { return begun_.load(relaxed); }
  /// For a connection that has said that it is idle: see Connection::idle_ (store buffering).
  bool begun_after_idle() const noexcept { return begun_.load(seq_cst); }
  CancelToken token() const noexcept { return source_.get_token(); }

  /// When what is left is cancelled. Never before begin().
  Deadline deadline() const noexcept { return Deadline::at_ns(deadline_ns_.load(relaxed)); }
  /// Until when connections may be idle. After begun().
  Deadline idle_until() const noexcept { return Deadline::at_ns(idle_until_ns_.load(relaxed)); }

 private:
  const std::int64_t idle_grace_ns_;
  std::stop_source source_;
  Atomic<std::int64_t> deadline_ns_{Deadline::never().time_ns()};
  Atomic<std::int64_t> idle_until_ns_{0};  // before begun_, which it is read after
  Atomic<bool> begun_{false};
};

}  // namespace weft::http::server
