// SPDX-License-Identifier: Apache-2.0
#include "sys/thread.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <filesystem>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <time.h>

namespace weft::sys {
namespace {

/// A cpu_set_t of any size: the fixed one ends at 1024 CPUs.
class CpuSet {
 public:
  explicit CpuSet(std::size_t cpus) : words_(std::max<std::size_t>(1, (cpus + kBits - 1) / kBits)) {}

  void add(std::size_t cpu) noexcept { words_[cpu / kBits] |= 1UL << (cpu % kBits); }
  bool contains(std::size_t cpu) const noexcept { return (words_[cpu / kBits] >> (cpu % kBits) & 1) != 0; }
  std::size_t capacity() const noexcept { return words_.size() * kBits; }
  std::size_t bytes() const noexcept { return words_.size() * sizeof(words_[0]); }
  unsigned long* data() noexcept { return words_.data(); }

 private:
  static constexpr std::size_t kBits = 8 * sizeof(unsigned long);
  std::vector<unsigned long> words_;
};

[[gnu::noinline]] long raw_get_affinity(CpuSet& set) noexcept {
  return attempt(Call::thread, -1, [&](std::size_t) {
    return raw_answer(::syscall(SYS_sched_getaffinity, 0, set.bytes(), set.data()));
  });
}

[[gnu::noinline]] long raw_set_affinity(CpuSet& set) noexcept {
  return attempt(Call::thread, -1, [&](std::size_t) {
    return raw_answer(::syscall(SYS_sched_setaffinity, 0, set.bytes(), set.data()));
  });
}

std::vector<int> members(const CpuSet& set) {
  std::vector<int> cpus;
  for (std::size_t cpu = 0; cpu < set.capacity(); ++cpu) {
    if (set.contains(cpu)) cpus.push_back(static_cast<int>(cpu));
  }
  return cpus;
}

}  // namespace

std::int64_t thread_cpu_ns() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Result<std::vector<pid_t>> process_threads() {
  std::error_code error;
  std::vector<pid_t> threads;
  std::filesystem::directory_iterator entry("/proc/self/task", error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    threads.push_back(static_cast<pid_t>(std::stol(entry->path().filename())));
  if (error) return error_of(error.value());
  return threads;
}

pid_t thread_id() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

[[gnu::noinline]] Result<void> set_thread_name(std::string_view name) noexcept {
  char text[16] = {};
  name.copy(text, sizeof(text) - 1);
  return void_result(
      attempt(Call::thread, -1, [&](std::size_t) { return raw_answer(::prctl(PR_SET_NAME, text)); }));
}

Result<std::vector<int>> thread_affinity() {
  constexpr std::size_t kCpusMax = 1 << 20;
  for (std::size_t cpus = 1024; cpus <= kCpusMax; cpus *= 4) {
    CpuSet set(cpus);
    const long raw = raw_get_affinity(set);
    if (raw >= 0) return members(set);
    if (raw != -EINVAL) return error_of(static_cast<int>(-raw));  // EINVAL: the kernel knows more CPUs
  }
  return error_of(EINVAL);
}

Result<void> set_thread_affinity(std::span<const int> cpus) {
  const auto highest = std::max_element(cpus.begin(), cpus.end());
  const auto lowest = std::min_element(cpus.begin(), cpus.end());
  if (cpus.empty() || *lowest < 0) return error_of(EINVAL);
  CpuSet set(static_cast<std::size_t>(*highest) + 1);
  for (int cpu : cpus) set.add(static_cast<std::size_t>(cpu));
  return void_result(raw_set_affinity(set));
}

[[gnu::noinline]] Result<void> set_timer_slack_ns(unsigned long slack_ns) noexcept {
  return void_result(attempt(Call::thread, -1, [&](std::size_t) {
    return raw_answer(::prctl(PR_SET_TIMERSLACK, slack_ns, 0, 0, 0));
  }));
}

[[gnu::noinline]] Result<void> signal_thread(pid_t thread, int signal_number) noexcept {
  return void_result(attempt(Call::thread, -1, [&](std::size_t) {
    return raw_answer(::syscall(SYS_tgkill, ::getpid(), thread, signal_number));
  }));
}

}  // namespace weft::sys
