// SPDX-License-Identifier: Apache-2.0
#include "net/connect/connect_race.hpp"

#include "sys/errors.hpp"

#include <algorithm>
#include <limits>

namespace weft::net {
namespace {

/// Children send at their end, and no more of them are alive than this. A child that finds no room waits.
constexpr std::size_t kEventsMax = 64;

std::int64_t now_of_loop() noexcept { return Deadline::after_ns(0).time_ns(); }

AddressFamily family_at(std::size_t index) noexcept {
  return index == 0 ? AddressFamily::kV6 : AddressFamily::kV4;
}

/// How far an attempt came: a host that refuses is there; one that is silent may be; the others were not
/// asked.
int distance(const std::error_code& error) noexcept {
  for (const int near : {EADDRNOTAVAIL, EAFNOSUPPORT, ENETUNREACH}) {
    if (sys::is_errno(error, near)) return 1;
  }
  if (sys::is_errno(error, EHOSTUNREACH)) return 2;
  return sys::is_errno(error, ETIMEDOUT) ? 3 : 4;
}

/// Of two reasons why a name has no addresses: that it has none is the weaker one.
std::error_code stronger(std::error_code one, std::error_code other) noexcept {
  return one == NameErrc::no_address ? other : one;
}

}  // namespace

ConnectRace::ConnectRace(Resolver& resolver, std::string_view name, std::uint16_t port,
                         const ConnectOptions& options)
    : resolver_(resolver),
      name_(name),
      port_(port),
      options_(options),
      begin_ns_(now_of_loop()),
      events_(kEventsMax) {}

Result<TcpStream> ConnectRace::run(Deadline deadline) {
  start_resolving(kV6);
  start_resolving(kV4);
  for (;;) {
    while (Result<std::unique_ptr<Event>> event = events_.try_receive()) take(**event);
    if (winner_) return end({});
    if (may_start()) {
      start_attempt();
      continue;
    }
    const bool all_answered = halves_[kV6].answered && halves_[kV4].answered;
    if (all_answered && running_ == 0 && !has_waiting()) return end({});
    if (const Result<void> waited = wait_for_event(deadline); !waited) return end(waited);
  }
}

void ConnectRace::start_resolving(std::size_t family) {
  children_.spawn([this, family] {
    auto event = std::make_unique<Event>(Resolved{family, resolver_.resolve(name_, {}, family_at(family))});
    static_cast<void>(events_.send(std::move(event)));  // fails only if the race is over
  });
}

void ConnectRace::start_attempt() {
  if (halves_[preferred_].waiting.empty()) preferred_ = 1 - preferred_;
  std::deque<SocketAddress>& waiting = halves_[preferred_].waiting;
  const SocketAddress address = waiting.front().with_port(port_);
  waiting.pop_front();
  preferred_ = 1 - preferred_;
  const std::int64_t now_ns = now_of_loop();
  const std::size_t index = attempts_.size();
  attempts_.push_back({.address = address,
                       .started_after = std::chrono::nanoseconds(now_ns - begin_ns_),
                       .error = Errc::cancelled});  // until it ends by itself
  next_attempt_ = Deadline::after(options_.attempt_delay);
  ++running_;
  children_.spawn([this, index, address] {
    auto event = std::make_unique<Event>(Attempted{index, TcpStream::connect(address)});
    static_cast<void>(events_.send(std::move(event)));  // with its connection, if the race is over
  });
}

void ConnectRace::take(Event& event) {
  if (auto* const resolved = std::get_if<Resolved>(&event)) {
    Half& half = halves_[resolved->family];
    half.answered = true;
    half.error = resolved->addresses.error();
    if (!resolved->addresses) return;
    half.waiting.assign(resolved->addresses->begin(), resolved->addresses->end());
    if (resolved->family == kV4) v4_may_start_ = Deadline::after(options_.resolution_delay);
    return;
  }
  auto& attempted = std::get<Attempted>(event);
  --running_;
  attempts_[attempted.index].error = attempted.stream.error();
  if (!attempted.stream) {
    next_attempt_ = Deadline::at_ns(0);
  } else if (!winner_) {
    winner_ = std::move(*attempted.stream);
  } else {
    attempts_[attempted.index].error = Errc::cancelled;  // second in the same instant: closed
  }
}

bool ConnectRace::has_waiting() const noexcept {
  return !halves_[kV6].waiting.empty() || !halves_[kV4].waiting.empty();
}

bool ConnectRace::may_start() const noexcept { return next_start().passed(); }

/// When the next attempt may start, if nothing happens before.
Deadline ConnectRace::next_start() const noexcept {
  if (!has_waiting()) return Deadline::never();
  const bool only_v4_known = !halves_[kV6].answered && attempts_.empty();
  return only_v4_known ? std::max(next_attempt_, v4_may_start_) : next_attempt_;
}

Result<void> ConnectRace::wait_for_event(Deadline deadline) {
  const Deadline start = next_start();
  Result<std::unique_ptr<Event>> event = events_.receive_until(std::min(start, deadline));
  if (event) {
    take(**event);
    return {};
  }
  const bool is_start = event.error() == Errc::timed_out && !deadline.passed();
  return is_start ? Result<void>() : Result<void>(event.error());
}

Result<TcpStream> ConnectRace::end(const Result<void>& waited) {
  children_.discard();
  if (winner_) return std::move(*winner_);
  if (!waited) return waited.error();
  return reason_of_failure();
}

std::error_code ConnectRace::reason_of_failure() const noexcept {
  if (attempts_.empty()) return stronger(halves_[kV6].error, halves_[kV4].error);
  const auto farthest = std::max_element(
      attempts_.begin(), attempts_.end(),
      [](const auto& one, const auto& other) { return distance(one.error) < distance(other.error); });
  return farthest->error;
}

std::string ConnectRace::reasons() const {
  std::string text;
  for (const ConnectAttempt& attempt : attempts_) {
    if (!text.empty()) text += ", ";
    text += attempt.address.ip().to_string() + ": ";
    text += attempt.error == Errc::cancelled ? "no answer yet" : attempt.error.message();
  }
  return text;
}

}  // namespace weft::net
