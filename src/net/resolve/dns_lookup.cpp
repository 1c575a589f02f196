// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/dns_lookup.hpp"

#include "net/resolve/dns_channel.hpp"
#include "net/resolve/semaphore_turn.hpp"

#include <algorithm>

namespace weft::net {
namespace {

/// Making a channel reads resolv.conf; keeping one costs 80 kB and a descriptor.
constexpr std::size_t kIdleChannelsMax = 8;

}  // namespace

bool has_dns() noexcept { return true; }

DnsLookup::DnsLookup(const ResolverOptions& options)
    : options_(options), turns_(std::clamp<std::size_t>(options.queries_max, 1, Semaphore::max())) {}

DnsLookup::~DnsLookup() = default;

Result<NameAnswer> DnsLookup::look_up(const NameQuestion& question, Deadline deadline) {
  if (const Result<void> taken = turns_.acquire_until(deadline); !taken) return taken.error();
  const SemaphoreTurn turn(turns_);
  Result<std::unique_ptr<DnsChannel>> channel = take_channel();
  if (!channel) return channel.error();
  Result<NameAnswer> answer = (*channel)->look_up(question, deadline);
  give_back(std::move(*channel));
  return answer;
}

Result<std::unique_ptr<DnsChannel>> DnsLookup::take_channel() {
  const sys::FileStamp configuration = sys::stamp_of(options_.resolv_conf.c_str());
  std::vector<std::unique_ptr<DnsChannel>> stale;  // destroyed without the mutex
  std::unique_lock lock(mutex_);
  while (!idle_.empty()) {
    std::unique_ptr<DnsChannel> channel = std::move(idle_.back());
    idle_.pop_back();
    if (channel->is_current(configuration)) return channel;
    stale.push_back(std::move(channel));
  }
  lock.unlock();
  stale.clear();
  return DnsChannel::create(options_);
}

void DnsLookup::give_back(std::unique_ptr<DnsChannel> channel) {
  const std::scoped_lock lock(mutex_);
  if (idle_.size() < kIdleChannelsMax) idle_.push_back(std::move(channel));
}

}  // namespace weft::net
