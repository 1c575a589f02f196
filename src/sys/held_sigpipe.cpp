// SPDX-License-Identifier: Apache-2.0
#include "sys/held_sigpipe.hpp"

#include <cerrno>
#include <ctime>

namespace weft::sys {
namespace {

sigset_t only_sigpipe() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  return set;
}

}  // namespace

HeldSigpipe::HeldSigpipe() noexcept {
  sigset_t pending;
  sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  const sigset_t held = only_sigpipe();
  pthread_sigmask(SIG_BLOCK, &held, &before_);
}

HeldSigpipe::~HeldSigpipe() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void HeldSigpipe::drop() noexcept {
  if (was_pending_) return;
  const sigset_t held = only_sigpipe();
  const timespec at_once{};
  while (sigtimedwait(&held, nullptr, &at_once) < 0 && errno == EINTR) {}
}

}  // namespace weft::sys
