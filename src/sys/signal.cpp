// SPDX-License-Identifier: Apache-2.0
#include "sys/signal.hpp"

#include "base/panic.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <algorithm>

namespace weft::sys {

sigset_t signal_set(std::initializer_list<int> signal_numbers) noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  for (int number : signal_numbers) ::sigaddset(&set, number);
  return set;
}

sigset_t all_signals() noexcept {
  sigset_t set;
  ::sigfillset(&set);
  return set;
}

BlockedSignals::BlockedSignals(const sigset_t& set) noexcept {
  ::pthread_sigmask(SIG_BLOCK, &set, &previous_);
}

BlockedSignals::~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }

void unblock_signals(const sigset_t& set) noexcept { ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr); }

[[gnu::noinline]] Result<struct sigaction> set_signal_handler(int signal_number, SignalHandler handler,
                                                              int flags) noexcept {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | flags;
  struct sigaction previous {};
  const long raw = attempt(Call::signal, -1, [&](std::size_t) {
    return raw_answer(::sigaction(signal_number, &action, &previous));
  });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return previous;
}

[[gnu::noinline]] Result<struct sigaction> signal_action(int signal_number) noexcept {
  struct sigaction action {};
  const long raw = attempt(Call::signal, -1, [&](std::size_t) {
    return raw_answer(::sigaction(signal_number, nullptr, &action));
  });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return action;
}

[[gnu::noinline]] Result<void> set_signal_action(int signal_number, const struct sigaction& action) noexcept {
  return void_result(attempt(Call::signal, -1, [&](std::size_t) {
    return raw_answer(::sigaction(signal_number, &action, nullptr));
  }));
}

[[gnu::noinline]] Result<AlternateStack> AlternateStack::install(std::size_t size) noexcept {
  // AVX-512 and AMX state may need more than any constant: ask.
  const auto size_min = static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_MINSIGSTKSZ)));
  Result<Mapping> memory = Mapping::reserve(std::max(size, size_min + 16 * 1024));
  if (!memory) return memory.error();
  stack_t stack{};
  stack.ss_sp = memory->data();
  stack.ss_size = memory->size();
  stack_t previous{};
  const long raw =
      attempt(Call::signal, -1, [&](std::size_t) { return raw_answer(::sigaltstack(&stack, &previous)); });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return AlternateStack(std::move(*memory), previous);
}

AlternateStack::~AlternateStack() {
  if (memory_.data() == nullptr) return;
  const int result = ::sigaltstack(&previous_, nullptr);
  WEFT_ASSERT(result == 0, "alternate signal stack removed while in use");
}

}  // namespace weft::sys
