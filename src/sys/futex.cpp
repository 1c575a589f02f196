// SPDX-License-Identifier: Apache-2.0
#include "sys/futex.hpp"

#include "base/panic.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <linux/futex.h>

namespace weft::sys {

static_assert(sizeof(Atomic<std::uint32_t>) == sizeof(std::uint32_t));

[[gnu::noinline]] bool futex_wait(Atomic<std::uint32_t>& word, std::uint32_t expected,
                                  Deadline deadline) noexcept {
  // The bitset form is the one that takes an absolute time. The kernel refuses a negative one.
  const std::int64_t time_ns = std::max<std::int64_t>(0, deadline.time_ns());
  const timespec time{.tv_sec = time_ns / 1'000'000'000, .tv_nsec = time_ns % 1'000'000'000};
  const timespec* const timeout = deadline.is_never() ? nullptr : &time;
  const long raw = attempt(Call::futex_wait, -1, [&](std::size_t) {
    return raw_answer(::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, expected, timeout, nullptr,
                                FUTEX_BITSET_MATCH_ANY));
  });
  if (raw == -ETIMEDOUT) return false;
  WEFT_ASSERT(raw == 0 || raw == -EAGAIN || raw == -EINTR, "futex wait failed", WEFT_VALUE(-raw));
  return true;
}

[[gnu::noinline]] int futex_wake(Atomic<std::uint32_t>& word, int count) noexcept {
  const long raw = attempt(Call::futex_wake, -1, [&](std::size_t) {
    return raw_answer(::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0));
  });
  // EFAULT: the word's page has been unmapped meanwhile; nobody can be waiting there.
  return raw < 0 ? 0 : static_cast<int>(raw);
}

void futex_wake_in_handler(Atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace weft::sys
