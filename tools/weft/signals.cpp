// SPDX-License-Identifier: Apache-2.0
#include "signals.hpp"

#include <csignal>
#include <unistd.h>
#include <utility>

namespace weft::tool {
namespace {

/// Ends the wait when nobody needs it any more, if this process itself queued it; blocked like the others, so
/// that it cannot end the process.
constexpr int kEndOfWait = SIGUSR2;

sigset_t awaited_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, kEndOfWait}) sigaddset(&signals, number);
  return signals;
}

}  // namespace

void block_stop_signals() {
  const sigset_t signals = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

StopSignals::StopSignals(std::function<void()> stop)
    : stop_(std::move(stop)), context_("signals", [this] { wait_for_signals(); }) {}

StopSignals::~StopSignals() {
  sigqueue(getpid(), kEndOfWait, {});
  context_.join_uncancellable();
}

// A blocking wait: this is what an isolated context is for.
void StopSignals::wait_for_signals() {
  const sigset_t signals = awaited_signals();
  for (bool stopping = false;;) {
    siginfo_t info{};
    const int number = sigwaitinfo(&signals, &info);
    if (number == kEndOfWait && info.si_code == SI_QUEUE && info.si_pid == getpid()) return;
    if (number != SIGINT && number != SIGTERM) continue;
    if (std::exchange(stopping, true)) _exit(128 + number);
    stop_();
  }
}

}  // namespace weft::tool
