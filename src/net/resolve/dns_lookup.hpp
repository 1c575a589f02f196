// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lookups by DNS: a channel for each query in progress, and idle ones kept for the next. Fibers of any
// contexts.

#include "net/resolve/name_question.hpp"

#include <weft/semaphore.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace weft::net {

class DnsChannel;

/// Whether weft was built with c-ares.
bool has_dns() noexcept;

class DnsLookup {
 public:
  explicit DnsLookup(const ResolverOptions& options);
  ~DnsLookup();
  DnsLookup(const DnsLookup&) = delete;
  DnsLookup& operator=(const DnsLookup&) = delete;

  /// Suspends. Errc::unsupported without c-ares.
  Result<NameAnswer> look_up(const NameQuestion& question, Deadline deadline);

 private:
  Result<std::unique_ptr<DnsChannel>> take_channel();
  void give_back(std::unique_ptr<DnsChannel> channel);

  const ResolverOptions& options_;
  Semaphore turns_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<DnsChannel>> idle_;  // guarded by mutex_; the last one was used last
};

}  // namespace weft::net
