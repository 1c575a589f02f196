// SPDX-License-Identifier: Apache-2.0
#include <weft/event_loop_strategy.hpp>

#include "base/spin_lock.hpp"
#include "event_loop/checked_strategy.hpp"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <system_error>

namespace weft {
namespace {

using Strategy = EventLoopStrategy;

struct Named {
  std::string_view name;
  Strategy strategy;
};

constexpr std::array<Named, 8> kNamed{{{"rearm-thread", Strategy::rearm_thread()},
                                       {"rearm-context", Strategy::rearm_context()},
                                       {"process", Strategy::process()},
                                       {"dedicated", Strategy::dedicated()},
                                       {"broadcast", Strategy::broadcast()},
                                       {"pinned", Strategy::pinned()},
                                       {"lifetime-thread", Strategy::lifetime_thread()},
                                       {"lifetime", Strategy::lifetime()}}};

constexpr std::array<Strategy, kNamed.size()> kStrategies = [] {
  std::array<Strategy, kNamed.size()> strategies;
  for (std::size_t i = 0; i < kNamed.size(); ++i) strategies[i] = kNamed[i].strategy;
  return strategies;
}();

std::string_view name_of(Strategy::Placement placement) noexcept {
  switch (placement) {
    case Strategy::Placement::kPerThread: return "per_thread";
    case Strategy::Placement::kPerContext: return "per_context";
    case Strategy::Placement::kPerProcess: return "per_process";
    default: return "dedicated";
  }
}

std::string_view name_of(Strategy::Registration registration) noexcept {
  switch (registration) {
    case Strategy::Registration::kPerWait: return "per_wait";
    case Strategy::Registration::kAtOpen: return "at_open";
    case Strategy::Registration::kLifetime: return "lifetime";
    default: return "broadcast";
  }
}

std::string_view name_of(Strategy::Ownership ownership) noexcept {
  return ownership == Strategy::Ownership::kTransfer ? "transfer" : "pinned";
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::system_error(std::make_error_code(std::errc::invalid_argument), "weft: " + why);
}

/// What set_default_event_loop_strategy() was told.
class Default {
 public:
  std::optional<Strategy> exchange(std::optional<Strategy> strategy) noexcept {
    const std::scoped_lock lock(lock_);
    return std::exchange(strategy_, strategy);
  }
  std::optional<Strategy> get() noexcept {
    const std::scoped_lock lock(lock_);
    return strategy_;
  }
  void lock_for_fork() noexcept { lock_.lock(); }
  void unlock_after_fork() noexcept { lock_.unlock(); }

 private:
  SpinLock lock_;
  std::optional<Strategy> strategy_;  // guarded by lock_
};

constinit Default process_default;

Strategy of_environment() {
  const char* const name = std::getenv("WEFT_STRATEGY");
  if (name == nullptr || *name == '\0') return Strategy::lifetime();
  const Result<Strategy> strategy = Strategy::parse(name);
  if (strategy) return *strategy;
  std::string why = "WEFT_STRATEGY=" + std::string(name) + ": no such strategy; there are";
  for (const Named& named : kNamed) why.append(" ").append(named.name);
  refuse(why);
}

}  // namespace

std::span<const Strategy> Strategy::named() noexcept { return kStrategies; }

Result<Strategy> Strategy::parse(std::string_view name) noexcept {
  for (const Named& named : kNamed) {
    if (named.name == name) return named.strategy;
  }
  return std::make_error_code(std::errc::invalid_argument);
}

std::string Strategy::to_string() const {
  for (const Named& named : kNamed) {
    if (named.strategy == *this) return std::string(named.name);
  }
  std::string parts = std::string(name_of(placement)).append("+").append(name_of(registration));
  if (ownership != Ownership::kNone) parts.append("+").append(name_of(ownership));
  return parts;
}

std::string_view Strategy::objection() const noexcept {
  const bool for_life = registration == Registration::kLifetime;
  const bool one_loop = placement == Placement::kPerProcess || placement == Placement::kDedicated;
  if (for_life && ownership == Ownership::kNone)
    return "a lifetime registration is either transferred or pinned: the ownership is missing";
  if (!for_life && ownership != Ownership::kNone)
    return "only a lifetime registration has an owner that could be transferred or pinned";
  if (one_loop && registration == Registration::kBroadcast)
    return "a broadcast needs several loops: per_process and dedicated have one";
  if (one_loop && ownership == Ownership::kTransfer)
    return "a transfer needs several loops: per_process and dedicated have one";
  return {};
}

Strategy checked_strategy(const std::optional<Strategy>& strategy) {
  const Strategy chosen = strategy ? *strategy : default_event_loop_strategy();
  const std::string_view objection = chosen.objection();
  if (!objection.empty()) {
    refuse("event loop strategy " + chosen.to_string() + ": " + std::string(objection));
  }
  return chosen;
}

std::optional<Strategy> exchange_default_strategy(const std::optional<Strategy>& strategy) noexcept {
  return process_default.exchange(strategy);
}

void set_default_event_loop_strategy(const Strategy& strategy) {
  exchange_default_strategy(checked_strategy(strategy));
}

Strategy default_event_loop_strategy() {
  const std::optional<Strategy> set = process_default.get();
  return set ? *set : of_environment();
}

void lock_default_strategy_for_fork() noexcept { process_default.lock_for_fork(); }
void unlock_default_strategy_after_fork() noexcept { process_default.unlock_after_fork(); }

}  // namespace weft
