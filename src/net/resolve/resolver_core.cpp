// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/resolver_core.hpp"

#include "net/resolve/host_service.hpp"
#include "net/resolve/semaphore_turn.hpp"
#include "net/resolve/system_lookup.hpp"

#include <algorithm>

namespace weft::net {
namespace {

std::string key_of(const NameQuestion& question) {
  return question.name + '/' + static_cast<char>('0' + static_cast<int>(question.family));
}

/// Whether the answer is one, also to another who asks: not the asker's own end, or the machine's shortage.
bool is_answer(const Result<NameAnswer>& answer) noexcept {
  return answer || answer.error().category() == name_error_category();
}

bool uses_dns(ResolverBackend backend) noexcept {
  if (backend == ResolverBackend::kAutomatic) return has_dns();
  return backend == ResolverBackend::kDns;
}

NameAnswer loopback(AddressFamily family) {
  NameAnswer answer;
  for (const IpAddress& address : {IpAddress::v6_loopback(), IpAddress::v4_loopback()}) {
    if (is_wanted(address, family)) answer.addresses.push_back(address);
  }
  return answer;
}

}  // namespace

ResolverCore::ResolverCore(ResolverOptions options)
    : options_(std::move(options)),
      by_dns_(uses_dns(options_.backend)),
      hosts_(options_.hosts_file),
      dns_(options_),
      cache_(options_.cache_size) {}

Result<NameAnswer> ResolverCore::look_up(const NameQuestion& question, Deadline deadline) {
  counts_.lookups.fetch_add(1, relaxed);
  if (options_.backend != ResolverBackend::kSystem) {
    if (std::optional<NameAnswer> here = look_up_here(question)) {
      counts_.hosts_hits.fetch_add(1, relaxed);
      if (here->addresses.empty()) return NameErrc::no_address;
      return std::move(*here);
    }
  }
  const std::string key = key_of(question);
  std::shared_ptr<Flight> flight;
  {
    const std::scoped_lock lock(mutex_);
    if (std::optional<NameAnswer> kept = cache_.find(key)) {
      counts_.cache_hits.fetch_add(1, relaxed);
      return std::move(*kept);
    }
    std::shared_ptr<Flight>& place = flights_[key];
    if (place == nullptr) place = std::make_shared<Flight>();
    flight = place;
  }
  Result<NameAnswer> answer = fly(*flight, question, key, deadline);
  leave(std::move(flight), key);
  return answer;
}

/// What needs no query: the hosts file, and localhost. A file that has addresses of the other family only
/// answers, too: the name has none.
std::optional<NameAnswer> ResolverCore::look_up_here(const NameQuestion& question) {
  NameAnswer answer;
  answer.addresses = hosts_.find(question.name);
  if (answer.addresses.empty()) {
    if (!is_localhost(question.name)) return {};
    return loopback(question.family);
  }
  std::erase_if(answer.addresses, [&](const IpAddress& each) { return !is_wanted(each, question.family); });
  return answer;
}

// Each waits for its turn. The first asks, and those behind it take its answer; if it has none because its
// caller gave up, the next one asks.
Result<NameAnswer> ResolverCore::fly(Flight& flight, const NameQuestion& question, const std::string& key,
                                     Deadline deadline) {
  if (const Result<void> taken = flight.turn.acquire_until(deadline); !taken) return taken.error();
  const SemaphoreTurn turn(flight.turn);
  if (flight.answer) {
    counts_.shared.fetch_add(1, relaxed);
    return *flight.answer;
  }
  Result<NameAnswer> answer = ask(question, deadline);
  if (!is_answer(answer)) return answer;
  flight.answer = answer;
  const std::scoped_lock lock(mutex_);
  if (answer) cache_.keep(key, *answer);
  forget_locked(flight, key);  // a later lookup asks anew
  return answer;
}

void ResolverCore::forget_locked(const Flight& flight, const std::string& key) {
  const auto place = flights_.find(key);
  if (place != flights_.end() && place->second.get() == &flight) flights_.erase(place);
}

/// The last one to leave a flight without an answer takes it out of the table. References are made and
/// dropped under the mutex.
void ResolverCore::leave(std::shared_ptr<Flight> flight, const std::string& key) {
  const std::scoped_lock lock(mutex_);
  if (flight.use_count() == 2) forget_locked(*flight, key);
  flight.reset();
}

Result<NameAnswer> ResolverCore::ask(const NameQuestion& question, Deadline deadline) {
  counts_.queries.fetch_add(1, relaxed);
  if (by_dns_) return dns_.look_up(question, deadline);
  Result<NameAnswer> answer = look_up_by_system(question, deadline);
  // A minimal system has no hosts file, and getaddrinfo() does not know this name then (RFC 6761).
  if (!answer && is_answer(answer) && is_localhost(question.name)) return loopback(question.family);
  return answer;
}

void ResolverCore::clear_cache() noexcept {
  const std::scoped_lock lock(mutex_);
  cache_.clear();
}

ResolverCounters ResolverCore::counters() const noexcept {
  return {.lookups = counts_.lookups.load(relaxed),
          .hosts_hits = counts_.hosts_hits.load(relaxed),
          .cache_hits = counts_.cache_hits.load(relaxed),
          .shared = counts_.shared.load(relaxed),
          .queries = counts_.queries.load(relaxed)};
}

}  // namespace weft::net
