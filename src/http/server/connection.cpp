// SPDX-License-Identifier: Apache-2.0
#include "http/server/connection.hpp"

#include "base/clock.hpp"
#include "http/server/routes.hpp"
#include "http/server/staged_close.hpp"

#include <weft/this_fiber.hpp>

#include <algorithm>

namespace weft::http::server {
namespace {

constexpr protocol::Refusal kHeadTooSlow{Status::request_timeout,
                                         "the request's head took longer than head_timeout"};

void ignore(Result<void>) noexcept {}  // the connection ends in any case

}  // namespace

void Connection::run() {
  detail::PeerScopeCore client(
      weft::detail::StreamAccess::handle(*stream_),
      shared_.limits.limits.half_close_cancels ? PeerEnd::kFinished : PeerEnd::kReset);
  LastResponse last{.sent_ns = coarse_now_ns()};
  for (bool more = receive_opening(last); more; more = receive_first(last)) {
    const Head head = receive_head();
    if (head == Head::kLinger) linger();
    if (head != Head::kComplete) return;
    const AfterExchange after = exchange(last, client);
    if (after == AfterExchange::kLinger) linger();
    if (after != AfterExchange::kNextRequest) return;
  }
}

AfterExchange Connection::exchange(LastResponse& last, detail::PeerScopeCore& client) {
  Exchange exchange(*stream_, lease_.block(), shared_.limits, shared_.drain, client);
  const AfterExchange after = exchange.run(shared_.routes);
  last = {.sent_ns = exchange.sent_ns(), .unsent = exchange.unsent()};
  if (batches_responses_ || last.unsent.empty()) return after;
  const bool sent = send(last);
  last.unsent = {};
  return sent ? after : AfterExchange::kClose;
}

bool Connection::send(const LastResponse& last) {
  const Deadline deadline = deadline_in(last.sent_ns, shared_.limits.write_ns);
  return stream_->write_all_until(std::as_bytes(std::span(last.unsent)), deadline).has_value();
}

// The first bytes of a new connection. It is not idle: a drain lets it send its first request, which may be
// on its way, until its grace is over.
bool Connection::receive_opening(const LastResponse& accepted) {
  const ServerLimits& limits = shared_.limits;
  const std::int64_t grace_ns = std::min(limits.first_request_grace_ns, limits.idle_ns);
  const Result<std::size_t> n = stream_->read_some_until(*this, deadline_in(accepted.sent_ns, grace_ns));
  if (n) return received_first(*n);
  if (n.error() != make_error_code(Errc::timed_out)) return false;
  idle_.store(true, seq_cst);
  return stay_idle(accepted);
}

// The first bytes of the next request, unless they are here already, after what was not sent yet of the last
// response: idle, without a block. False: close.
bool Connection::receive_first(const LastResponse& last) {
  if (lease_.held()) {
    if (lease_.block().reader.next()) return last.unsent.empty() || send(last);
    if (last.unsent.empty()) lease_.give_back();
  }
  idle_.store(true, seq_cst);
  if (shared_.drain.begun_after_idle() && !may_stay_idle(last)) [[unlikely]]
    return false;
  const Deadline quiet_deadline = deadline_in(last.sent_ns, shared_.limits.quiet_ns);
  const Result<std::size_t> n =
      last.unsent.empty()
          ? stream_->read_some_until(*this, quiet_deadline)
          : stream_->write_then_read_some_until(
                std::as_bytes(std::span(last.unsent)), *this,
                {.write = deadline_in(last.sent_ns, shared_.limits.write_ns), .read = quiet_deadline});
  return n ? received_first(*n) : wait_on(n.error(), last);
}

inline bool Connection::received_first(std::size_t n) noexcept {
  idle_.store(false, relaxed);
  lease_.block().reader.received(n);
  return true;
}

// Not under load, then: what the handlers have touched of the stack is given back for the rest of the wait.
bool Connection::wait_on(std::error_code error, const LastResponse& last) {
  const bool writing_timed_out =
      !last.unsent.empty() && deadline_in(last.sent_ns, shared_.limits.write_ns).passed();
  return error == make_error_code(Errc::timed_out) && !writing_timed_out && stay_idle(last);
}

// idle_ is set.
bool Connection::stay_idle(const LastResponse& last) {
  this_fiber::trim_stack();
  Deadline deadline = deadline_in(last.sent_ns, shared_.limits.idle_ns);
  if (shared_.drain.begun_after_idle()) deadline = std::min(deadline, shared_.drain.idle_until());
  const Result<std::size_t> n = stream_->read_some_until(*this, deadline);
  return n && received_first(*n);
}

// The server drains. True: wait() will look for it when that time has come. False: the last response is sent.
bool Connection::may_stay_idle(const LastResponse& last) {
  if (!shared_.drain.idle_until().passed()) return true;
  if (!last.unsent.empty()) send(last);
  return false;
}

std::span<std::byte> Connection::take() {
  return std::as_writable_bytes(lease_.take(shared_.limits).reader.free_space());
}

// Some bytes of the head are here. If not all are, the time of the head begins to run.
Connection::Head Connection::receive_head() {
  protocol::RequestReader& reader = lease_.block().reader;
  HeadStatus status = reader.parse_head();
  if (status == HeadStatus::kNeedInput) {
    const Deadline deadline = deadline_in(coarse_now_ns(), shared_.limits.head_ns);
    do {
      const Result<std::size_t> n =
          stream_->read_some_until(std::as_writable_bytes(reader.free_space()), deadline);
      if (!n) {
        const bool told = n.error() == make_error_code(Errc::timed_out) && !reader.at_boundary();
        return told ? refuse(kHeadTooSlow) : Head::kClose;
      }
      reader.received(*n);
      status = reader.parse_head();
    } while (status == HeadStatus::kNeedInput);
  }
  return status == HeadStatus::kComplete ? Head::kComplete : refuse(reader.refusal());
}

Connection::Head Connection::refuse(const protocol::Refusal& refusal) {
  Block& block = lease_.block();
  const std::int64_t now = coarse_now_ns();
  const std::string_view answer = protocol::encode_error(block.output, refusal, block.date.line(now));
  const io::Progress sent =
      stream_->write_all_until(std::as_bytes(std::span(answer)), deadline_in(now, shared_.limits.write_ns));
  return sent ? Head::kLinger : Head::kClose;
}

void Connection::linger() {
  end_sending_and_listen(*stream_, std::as_writable_bytes(std::span(lease_.block().input)),
                         shared_.limits.linger_ns);
}

weft::detail::DescriptorHandle Connection::idle_stream() const noexcept {
  if (!idle_.load(seq_cst)) return {};
  const weft::detail::DescriptorHandle stream = weft::detail::StreamAccess::handle(*stream_);
  if (!stream) ignore(stream_->shutdown(net::ShutdownMode::kRead));
  return stream;
}

// Receiving ends, so that the wait ends: a request that came at the last moment is still read and answered.
void Connection::let_go(weft::detail::DescriptorHandle idle_stream) {
  ignore(weft::detail::end_reading(idle_stream));
}

void Connection::close() { ignore(stream_->close()); }

}  // namespace weft::http::server
