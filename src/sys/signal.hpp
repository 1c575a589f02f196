// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/mapping.hpp"

#include <weft/result.hpp>

#include <csignal>
#include <initializer_list>

namespace weft::sys {

sigset_t signal_set(std::initializer_list<int> signal_numbers) noexcept;
sigset_t all_signals() noexcept;

/// Blocks signals for the calling thread while alive, then restores what was blocked before. Threads started
/// meanwhile inherit the mask. Must be destroyed by the thread that made it: not across a suspension.
class BlockedSignals {
 public:
  explicit BlockedSignals(const sigset_t& set) noexcept;
  ~BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t previous_;
};

/// Takes signals out of the calling thread's mask.
void unblock_signals(const sigset_t& set) noexcept;

/// Installs a handler with SA_SIGINFO and SA_ONSTACK, plus `flags`: the action it replaces.
using SignalHandler = void (*)(int signal_number, siginfo_t* info, void* context);
Result<struct sigaction> set_signal_handler(int signal_number, SignalHandler handler, int flags = 0) noexcept;
/// What the signal does now.
Result<struct sigaction> signal_action(int signal_number) noexcept;
/// Sets what the signal does, for example what `set_signal_handler` returned.
Result<void> set_signal_action(int signal_number, const struct sigaction& action) noexcept;

/// The calling thread handles SA_ONSTACK signals on a stack of its own while this is alive: needed to report
/// an overflow of the stack in use. Must be destroyed by the thread that made it.
class AlternateStack {
 public:
  static Result<AlternateStack> install(std::size_t size = 64 * 1024) noexcept;
  AlternateStack(AlternateStack&&) noexcept = default;
  AlternateStack& operator=(AlternateStack&&) = delete;
  ~AlternateStack();

 private:
  AlternateStack(Mapping memory, const stack_t& previous) noexcept
      : memory_(std::move(memory)), previous_(previous) {}

  Mapping memory_;
  stack_t previous_;
};

}  // namespace weft::sys
