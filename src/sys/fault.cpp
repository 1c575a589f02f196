// SPDX-License-Identifier: Apache-2.0
#include "sys/fault.hpp"

#include "base/spin_lock.hpp"

#include <cerrno>
#include <memory>
#include <mutex>
#include <numeric>
#include <utility>
#include <vector>

namespace weft::sys {

constinit Atomic<std::uint32_t> instruments{0};

namespace {

struct Rule {
  const FaultPlan* plan;
  Call call;
  FaultRange range;
  Fault fault;
  std::shared_ptr<const std::function<void(int)>> action;
  std::uint64_t applied = 0;

  bool matches(Call made, int fd) const noexcept {
    return (call == made || (call == Call::send && made == Call::ring_send)) &&
           (range.fd == FaultRange::kAnyFd || range.fd == fd);
  }
  bool used_up() const noexcept { return range.times == 0; }

  /// Uses up one of the calls to skip, or one of those to apply to. True for the latter.
  bool take() noexcept {
    if (range.skip > 0) return --range.skip, false;
    if (range.times != FaultRange::kAlways) --range.times;
    ++applied;
    return true;
  }
};

/// All rules of all plans, and the counters. Never destroyed: threads may outlive static destructors.
struct Registry {
  SpinLock lock;
  std::vector<Rule> rules;
  std::array<Atomic<std::uint64_t>, kCallKinds> counts{};
};

Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

struct Verdict {
  Fault fault;
  std::shared_ptr<const std::function<void(int)>> action;
};

Verdict judge(Call call, int fd) {
  Registry& all = registry();
  const std::scoped_lock hold(all.lock);
  for (Rule& rule : all.rules) {
    if (!rule.matches(call, fd) || rule.used_up()) continue;
    if (rule.take()) return {rule.fault, rule.action};
    break;  // a call that a rule skips is not offered to the rules behind it
  }
  return {};
}

void add(Rule rule) {
  Registry& all = registry();
  const std::scoped_lock hold(all.lock);
  all.rules.push_back(std::move(rule));
}

}  // namespace

Fault intercept_slow(Call call, int fd) noexcept {
  // relaxed: a statistic; whoever compares counts has synchronized with the threads it counted.
  registry().counts[static_cast<std::size_t>(call)].fetch_add(1, relaxed);
  const int saved_errno = errno;
  Verdict verdict = judge(call, fd);
  if (verdict.action != nullptr) (*verdict.action)(fd);
  errno = saved_errno;
  return verdict.fault;
}

FaultPlan::FaultPlan() { instruments.fetch_add(1, relaxed); }

FaultPlan::~FaultPlan() {
  instruments.fetch_sub(1, relaxed);
  Registry& all = registry();
  const std::scoped_lock hold(all.lock);
  std::erase_if(all.rules, [this](const Rule& rule) { return rule.plan == this; });
}

void FaultPlan::fail(Call call, int error, FaultRange range) {
  add({.plan = this, .call = call, .range = range, .fault = {.error = error}, .action = {}});
}

void FaultPlan::shorten(Call call, std::size_t size_max, FaultRange range) {
  add({.plan = this, .call = call, .range = range, .fault = {.size_max = size_max}, .action = {}});
}

void FaultPlan::run(Call call, std::function<void(int)> action, FaultRange range, int error) {
  auto shared = std::make_shared<const std::function<void(int)>>(std::move(action));
  add({.plan = this, .call = call, .range = range, .fault = {.error = error}, .action = std::move(shared)});
}

std::uint64_t FaultPlan::applied() const noexcept {
  Registry& all = registry();
  const std::scoped_lock hold(all.lock);
  std::uint64_t sum = 0;
  for (const Rule& rule : all.rules) sum += rule.plan == this ? rule.applied : 0;
  return sum;
}

std::uint64_t CallCounts::epoll_ctl() const noexcept {
  return (*this)[Call::epoll_add] + (*this)[Call::epoll_modify] + (*this)[Call::epoll_remove];
}

std::uint64_t CallCounts::futex() const noexcept {
  return (*this)[Call::futex_wait] + (*this)[Call::futex_wake];
}

std::uint64_t CallCounts::event_fd() const noexcept {
  return (*this)[Call::event_fd_notify] + (*this)[Call::event_fd_drain];
}

std::uint64_t CallCounts::total() const noexcept {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}) - (*this)[Call::ring_send] -
         (*this)[Call::child_step] - (*this)[Call::execute];
}

CallCounts operator-(const CallCounts& a, const CallCounts& b) noexcept {
  CallCounts difference;
  for (std::size_t i = 0; i < kCallKinds; ++i) difference.counts_[i] = a.counts_[i] - b.counts_[i];
  return difference;
}

CallCounter::CallCounter() noexcept {
  instruments.fetch_add(1, relaxed);
  reset();
}

CallCounter::~CallCounter() { instruments.fetch_sub(1, relaxed); }

CallCounts CallCounter::counts() const noexcept {
  CallCounts now;
  for (std::size_t i = 0; i < kCallKinds; ++i) now.counts_[i] = registry().counts[i].load(relaxed);
  return now - base_;
}

void CallCounter::reset() noexcept {
  base_ = CallCounts();
  base_ = counts();
}

const char* to_string(Call call) noexcept {
  static constexpr const char* kNames[] = {
      "socket",
      "bind",
      "listen",
      "accept",
      "connect",
      "shutdown",
      "get_option",
      "set_option",
      "name",
      "recv",
      "send",
      "recvmsg",
      "sendmsg",
      "recvmmsg",
      "sendmmsg",
      "read",
      "write",
      "close",
      "fcntl",
      "open",
      "pipe",
      "epoll_create",
      "epoll_add",
      "epoll_modify",
      "epoll_remove",
      "epoll_wait",
      "poll",
      "event_fd_create",
      "event_fd_notify",
      "event_fd_drain",
      "timer_fd_create",
      "timer_fd_set",
      "ring_create",
      "ring_enter",
      "ring_send",
      "futex_wait",
      "futex_wake",
      "mmap",
      "munmap",
      "mprotect",
      "madvise",
      "mincore",
      "status",
      "unlink",
      "chmod",
      "splice",
      "pread",
      "pread_now",
      "pwrite",
      "fsync",
      "truncate",
      "rename",
      "make_directory",
      "read_directory",
      "copy_range",
      "file_lock",
      "send_file",
      "signal",
      "thread",
      "clone",
      "child_step",
      "execute",
      "wait_process",
      "signal_process",
  };
  static_assert(std::size(kNames) == kCallKinds);
  return kNames[static_cast<std::size_t>(call)];
}

}  // namespace weft::sys
