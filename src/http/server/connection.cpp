// SPDX-License-Identifier: Apache-2.0
#include "http/server/connection.hpp"

#include "base/clock.hpp"
#include "http/server/routes.hpp"

namespace weft::http::server {
namespace {

/// How long, and for how many bytes, a client is listened to that has been told to go away: a close with unread
/// input would be a reset, which can overtake the answer (RFC 9112, 9.6).
constexpr std::chrono::seconds kLingerTimeout{2};
constexpr std::size_t kLingerSizeMax = 256 * 1024;

void ignore(Result<void>) noexcept {}  // the connection ends in any case

}  // namespace

void Connection::run() {
  BlockLease lease;
  for (std::int64_t idle_since_ns = coarse_now_ns();;) {
    const Deadline idle_deadline = deadline_in(idle_since_ns, shared_.limits.idle_ns);
    if (!lease.held() && !wait_for_request(idle_deadline)) return;
    Block& block = lease.take(shared_.limits);
    const Head head = receive_head(block, idle_deadline);
    if (head == Head::kLinger) linger(block);
    if (head != Head::kComplete) return;
    Exchange exchange(stream_, block, shared_.limits, !shared_.draining.load(relaxed));
    const AfterExchange after = exchange.run(shared_.routes);
    if (after == AfterExchange::kLinger) linger(block);
    if (after != AfterExchange::kNextRequest) return;
    idle_since_ns = exchange.sent_ns();
    if (!block.reader.next()) lease.give_back();
  }
}

// Idle: no block is held. False: close.
bool Connection::wait_for_request(Deadline idle_deadline) {
  idle_.store(true, seq_cst);
  if (shared_.draining.load(seq_cst)) return false;
  const Result<void> readable = stream_.wait_readable(idle_deadline);
  idle_.store(false, relaxed);
  return readable.has_value();
}

Connection::Head Connection::receive_head(Block& block, Deadline idle_deadline) {
  protocol::RequestReader& reader = block.reader;
  Deadline deadline = idle_deadline;  // until the first byte, then the head's own
  bool begun = reader.has_input();
  HeadStatus status = begun ? parse_first(block, deadline) : HeadStatus::need_input;
  while (status == HeadStatus::need_input) {
    const Result<std::size_t> n = stream_.read_some_until(std::as_writable_bytes(reader.free_space()), deadline);
    if (!n) {
      const bool told = n.error() == make_error_code(Errc::timed_out) && !reader.at_boundary();
      return told ? refuse(block, Status::request_timeout) : Head::kClose;
    }
    reader.received(*n);
    status = begun ? reader.parse_head() : parse_first(block, deadline);
    begun = true;
  }
  return status == HeadStatus::complete ? Head::kComplete : refuse(block, reader.refusal().status);
}

// Parses the first bytes of a head. If that is not all of it, its time begins to run.
Connection::HeadStatus Connection::parse_first(Block& block, Deadline& deadline) {
  const HeadStatus status = block.reader.parse_head();
  if (status == HeadStatus::need_input) deadline = deadline_in(coarse_now_ns(), shared_.limits.head_ns);
  return status;
}

Connection::Head Connection::refuse(Block& block, Status status) {
  const std::int64_t now = coarse_now_ns();
  const std::string_view answer =
      protocol::encode_error(block.output, status, false, block.date.line(now));
  const net::Transfer sent =
      stream_.write_all_until(std::as_bytes(std::span(answer)), deadline_in(now, shared_.limits.write_ns));
  return sent ? Head::kLinger : Head::kClose;
}

void Connection::linger(Block& block) {
  ignore(stream_.shutdown(net::ShutdownMode::kWrite));
  const Deadline deadline = Deadline::after(kLingerTimeout);
  for (std::size_t size = 0; size < kLingerSizeMax;) {
    const Result<std::size_t> n = stream_.read_some_until(std::as_writable_bytes(std::span(block.input)), deadline);
    if (!n) return;
    size += *n;
  }
}

// Receiving ends, so that the wait ends: a request that came at the last moment is still read and answered.
void Connection::drain() {
  if (idle_.load(seq_cst)) ignore(stream_.shutdown(net::ShutdownMode::kRead));
}

}  // namespace weft::http::server
