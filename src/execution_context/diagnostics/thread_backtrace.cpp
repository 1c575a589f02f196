// SPDX-License-Identifier: Apache-2.0
// The request goes from hand to hand by its state word:
//
//   idle -> asked    the monitor, before it sends the signal; the other fields are set
//   asked -> taken   the handler, in the right thread: it copies registers and stack
//   taken -> done    the handler
//   asked -> idle    the monitor, when it has waited long enough: a late handler finds nothing to do
//   done -> idle     the monitor, which then follows the frames in the copy
#include "execution_context/diagnostics/thread_backtrace.hpp"

#include "base/clock.hpp"
#include "base/sanitizers.hpp"
#include "base/spin_backoff.hpp"
#include "execution_context/diagnostics/interrupted_flow.hpp"
#include "execution_context/diagnostics/unwind.hpp"
#include "sys/futex.hpp"
#include "sys/signal.hpp"
#include "sys/thread.hpp"

#include <cerrno>
#include <cstdint>

namespace weft {
namespace {

constexpr std::int64_t kBacktraceWaitNs = 50'000'000;
constexpr int kSignal = SIGURG;

enum State : std::uint32_t { kIdle, kAsked, kTaken, kDone };

struct Request {
  Atomic<std::uint32_t> state{kIdle};
  int thread_id = 0;
  std::uintptr_t stack_low = 0;
  std::uintptr_t stack_top = 0;
  InterruptedFlow flow;
};

constinit Request request;
struct sigaction previous_action;

WEFT_NO_SANITIZE void forward(int signal_number, siginfo_t* info, void* context) noexcept {
  if ((previous_action.sa_flags & SA_SIGINFO) != 0) {
    previous_action.sa_sigaction(signal_number, info, context);
  } else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    previous_action.sa_handler(signal_number);
  }
}

/// Async-signal-safe: plain memory, and system calls without glibc's cancellation points.
WEFT_NO_SANITIZE void on_signal(int signal_number, siginfo_t* info, void* context) noexcept {
  const int saved_errno = errno;
  std::uint32_t asked = kAsked;
  // Acquire: the monitor's request; the thread id is looked at after that, and before anything is written.
  if (request.state.load(acquire) != kAsked || request.thread_id != sys::thread_id() ||
      !request.state.compare_exchange_strong(asked, kTaken, acquire)) {
    forward(signal_number, info, context);
  } else {
    request.flow.copy(context, request.stack_low, request.stack_top);
    request.state.store(kDone, release);
    sys::futex_wake(request.state, 1);
  }
  errno = saved_errno;
}

void install_handler() noexcept {
  [[maybe_unused]] static const bool installed = [] {
    ::sigaction(kSignal, nullptr, &previous_action);  // before the handler can run
    return sys::set_signal_handler(kSignal, on_signal, SA_RESTART).has_value();
  }();
}

/// False if the thread did not answer.
bool wait_for_answer() noexcept {
  const Deadline deadline = Deadline::at_ns(monotonic_ns() + kBacktraceWaitNs);
  while (request.state.load(acquire) == kAsked && sys::futex_wait(request.state, kAsked, deadline)) {}
  std::uint32_t asked = kAsked;
  if (request.state.compare_exchange_strong(asked, kIdle, acquire)) return false;
  // The handler is at it.
  for (SpinBackoff backoff; request.state.load(acquire) != kDone;) backoff.pause();
  return true;
}

}  // namespace

std::size_t backtrace_of_thread(int thread_id, std::byte* stack_low, std::byte* stack_top,
                                std::span<void*> frames) noexcept {
  install_handler();
  request.thread_id = thread_id;
  request.stack_low = reinterpret_cast<std::uintptr_t>(stack_low);
  request.stack_top = reinterpret_cast<std::uintptr_t>(stack_top);
  request.state.store(kAsked, release);
  // A thread that has ended leaves the request unanswered.
  const bool sent = sys::signal_thread(thread_id, kSignal).has_value();
  if (!sent) request.state.store(kIdle, relaxed);
  if (!sent || !wait_for_answer()) return 0;
  const std::size_t count = unwind(request.flow, frames);
  request.state.store(kIdle, relaxed);
  return count;
}

}  // namespace weft
