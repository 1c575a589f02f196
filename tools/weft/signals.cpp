// SPDX-License-Identifier: Apache-2.0
#include "signals.hpp"

#include <csignal>
#include <unistd.h>
#include <utility>

namespace weft::tool {
namespace {

/// Ends the wait when nobody needs it any more; blocked like the others, so that it cannot end the process.
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
  kill(getpid(), kEndOfWait);
  context_.join();
}

// A blocking wait: this is what an isolated context is for.
void StopSignals::wait_for_signals() {
  const sigset_t signals = awaited_signals();
  for (bool stopping = false;; stopping = true) {
    int number = 0;
    if (sigwait(&signals, &number) != 0 || number == kEndOfWait) return;
    if (stopping) _exit(128 + number);
    stop_();
  }
}

}  // namespace weft::tool
