// SPDX-License-Identifier: Apache-2.0
#include "http/server/connection.hpp"

#include "base/clock.hpp"
#include "http/server/routes.hpp"

namespace weft::http::server {
namespace {

using protocol::HeadStatus;

/// How long, and for how many bytes, a client is listened to that has been told to go away: a close with unread
/// input would be a reset, which can overtake the answer (RFC 9112, 9.6).
constexpr std::chrono::seconds kLingerTimeout{2};
constexpr std::size_t kLingerSizeMax = 256 * 1024;

void ignore(Result<void>) noexcept {}  // the connection ends in any case

}  // namespace

void Connection::run() {
  BlockLease lease;
  for (;;) {
    if (!lease.held() && !wait_for_request()) return;
    Block& block = lease.take(shared_.limits);
    const Head head = receive_head(block);
    if (head == Head::kLinger) linger(block);
    if (head != Head::kComplete) return;
    Exchange exchange(stream_, block, shared_.limits.limits, !shared_.draining.load(relaxed));
    const AfterExchange after = exchange.run(shared_.routes);
    if (after == AfterExchange::kLinger) linger(block);
    if (after != AfterExchange::kNextRequest) return;
    if (!block.reader.next()) lease.give_back();
  }
}

// Idle: no block is held. False: close.
bool Connection::wait_for_request() {
  idle_.store(true, seq_cst);
  if (shared_.draining.load(seq_cst)) return false;
  const Result<void> readable = stream_.wait_readable(Deadline::after_coarsely(shared_.limits.limits.idle_timeout));
  idle_.store(false, relaxed);
  return readable.has_value();
}

Connection::Head Connection::receive_head(Block& block) {
  protocol::RequestReader& reader = block.reader;
  HeadStatus status = reader.has_input() ? reader.parse_head() : HeadStatus::need_input;
  Deadline deadline = Deadline::after_coarsely(shared_.limits.limits.head_timeout);
  while (status == HeadStatus::need_input) {
    const Result<std::size_t> n = stream_.read_some_until(std::as_writable_bytes(reader.free_space()), deadline);
    if (!n) {
      const bool told = n.error() == make_error_code(Errc::timed_out) && !reader.at_boundary();
      return told ? refuse(block, Status::request_timeout) : Head::kClose;
    }
    reader.received(*n);
    status = reader.parse_head();
  }
  return status == HeadStatus::complete ? Head::kComplete : refuse(block, reader.refusal().status);
}

Connection::Head Connection::refuse(Block& block, Status status) {
  const std::string_view answer =
      protocol::encode_error(block.output, status, false, block.date.at(unix_seconds()));
  const net::Transfer sent = stream_.write_all_until(std::as_bytes(std::span(answer)),
                                                     Deadline::after_coarsely(shared_.limits.limits.write_timeout));
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
