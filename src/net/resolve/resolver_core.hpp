// SPDX-License-Identifier: Apache-2.0
#pragma once

// A resolver's state: who may ask, who shares an answer, what is kept. docs/design/names.md.
//
// Thread safety: fibers of any contexts. The mutex is held for a few look-ups in memory, never over a wait.

#include "base/atomic.hpp"
#include "net/resolve/dns_lookup.hpp"
#include "net/resolve/hosts_file.hpp"
#include "net/resolve/name_cache.hpp"

#include <weft/semaphore.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace weft::net {

class ResolverCore {
 public:
  explicit ResolverCore(ResolverOptions options);

  /// Suspends.
  Result<NameAnswer> look_up(const NameQuestion& question, Deadline deadline);
  void clear_cache() noexcept;
  ResolverCounters counters() const noexcept;

 private:
  /// A query that others wait for, one of which asks if the first gave up. The turn guards the answer.
  struct Flight {
    Semaphore turn{1};
    std::optional<Result<NameAnswer>> answer;
  };

  struct Counts {
    Atomic<std::uint64_t> lookups{0}, hosts_hits{0}, cache_hits{0}, shared{0}, queries{0};
  };

  std::optional<NameAnswer> look_up_here(const NameQuestion& question);
  Result<NameAnswer> fly(Flight& flight, const NameQuestion& question, const std::string& key,
                         Deadline deadline);
  void forget_locked(const Flight& flight, const std::string& key);
  void leave(std::shared_ptr<Flight> flight, const std::string& key);
  Result<NameAnswer> ask(const NameQuestion& question, Deadline deadline);

  const ResolverOptions options_;
  const bool by_dns_;
  HostsFile hosts_;
  DnsLookup dns_;
  Counts counts_;  // relaxed: only counted
  std::mutex mutex_;
  NameCache cache_;                                                   // guarded by mutex_
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;  // guarded by mutex_
};

}  // namespace weft::net
