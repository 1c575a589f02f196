// SPDX-License-Identifier: Apache-2.0
#include "fiber/overflow.hpp"

#include "base/opaque.hpp"
#include "base/panic.hpp"
#include "fiber/describe.hpp"
#include "fiber/fiber.hpp"
#include "sys/signal.hpp"

#include <csignal>
#include <optional>

namespace weft {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS};

// Written before the handler of the signal can run, then constant.
struct sigaction previous_actions[std::size(kSignals)];

const struct sigaction& previous_action(int signal_number) noexcept {
  return previous_actions[signal_number == kSignals[0] ? 0 : 1];
}

bool in_guard(Fiber& fiber, const void* address) noexcept {
  const auto* const byte = static_cast<const std::byte*>(address);
  const std::byte* const low = fiber.stack_low();
  return byte < low && byte >= low - StackSlab::guard_size();
}

/// The instruction is tried again when the handler returns, and now kills the program: with the right
/// signal, address and registers in the core.
void die_by(int signal_number) noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  sigaction(signal_number, &action, nullptr);
}

void forward(int signal_number, siginfo_t* info, void* context) noexcept {
  const struct sigaction& previous = previous_action(signal_number);
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal_number, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal_number);
  } else {
    die_by(signal_number);
  }
}

/// Runs on the alternate stack; everything it calls is async-signal-safe.
void on_fault(int signal_number, siginfo_t* info, void* context) noexcept {
  Fiber* const fiber = this_fiber_or_null();
  if (fiber == nullptr || !in_guard(*fiber, info->si_addr)) return forward(signal_number, info, context);
  const FiberDescription description(*fiber);
  write_to_stderr(
      {"weft: stack overflow in fiber ", description.view(),
       "\nweft: pass a larger .stack_size when spawning it, or keep large objects on the heap\n"});
  die_by(signal_number);
}

bool install_handlers() noexcept {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    sigaction(kSignals[i], nullptr, &previous_actions[i]);
    const auto installed = sys::set_signal_handler(kSignals[i], on_fault);
    WEFT_ASSERT(installed, "cannot install the handler of stack overflows", WEFT_VALUE(kSignals[i]));
  }
  return true;
}

}  // namespace

void install_overflow_handler() noexcept {
  [[maybe_unused]] static const bool installed = install_handlers();
}

WEFT_OPAQUE void enable_alternate_stack() noexcept {
  static thread_local std::optional<sys::AlternateStack> stack;
  if (stack) return;
  if (auto installed = sys::AlternateStack::install()) stack.emplace(std::move(*installed));
}

}  // namespace weft
