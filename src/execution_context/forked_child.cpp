// SPDX-License-Identifier: Apache-2.0
#include "execution_context/forked_child.hpp"

#include "base/fork_count.hpp"
#include "event_loop/checked_strategy.hpp"
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/migration/migration_log.hpp"
#include "event_loop/registration/loop_registry.hpp"
#include "execution_context/context_registry.hpp"
#include "execution_context/diagnostics/dump.hpp"
#include "execution_context/diagnostics/fiber_snapshot.hpp"
#include "execution_context/diagnostics/migration_report.hpp"
#include "execution_context/diagnostics/monitor.hpp"
#include "execution_context/diagnostics/report_handler.hpp"
#include "execution_context/diagnostics/stall_reports.hpp"
#include "execution_context/diagnostics/stuck_fiber.hpp"
#include "execution_context/diagnostics/symbol.hpp"
#include "execution_context/library_thread.hpp"
#include "execution_context/shared_loop.hpp"
#include "execution_context/signals/signal_registry.hpp"
#include "fiber/describe.hpp"
#include "fiber/thread_waiter.hpp"

#include <optional>
#include <pthread.h>

namespace weft {
namespace {

/// The fiber that called fork(), in the child; null if a plain thread did.
Fiber* forked_fiber = nullptr;

constexpr const char* kWhatIsAllowed =
    "weft: after fork() only the parent goes on with the fibers and sockets there were; the child may close "
    "its "
    "copies, exec, _exit(), or call weft::run() anew\n";

// Whatever is used in the child, and cannot be made anew there: nobody may be in the middle of changing it.
// The report locks come behind the registry's: the monitor makes a handler under that one, with its first
// look.
void before_fork() noexcept {
  SignalRegistry::lock_for_fork();
  lock_default_strategy_for_fork();
  SharedLoop::lock_for_fork();
  ContextRegistry::instance().lock_for_fork();
  ReportLock::lock_all_for_fork();
  lock_backtraces_for_fork();
}

void after_fork_in_parent() noexcept {
  unlock_backtraces_after_fork();
  ReportLock::unlock_all_after_fork();
  ContextRegistry::instance().unlock_after_fork();
  SharedLoop::unlock_after_fork();
  unlock_default_strategy_after_fork();
  SignalRegistry::unlock_after_fork();
}

void after_fork_in_child() noexcept {
  ++fork_count;
  const Runner* const runner = this_runner();
  forked_fiber = runner == nullptr ? nullptr : runner->current;
  if (forked_fiber != nullptr) forked_fiber->reference();  // it may end, and is described then
  after_fork_in_parent();                                  // the locks
  ContextRegistry::instance().for_each([](Context& context) { context.become_inherited(); });
  ContextRegistry::instance().become_inherited();
  SharedLoop::become_inherited();
  LoopRegistry::instance().become_inherited();
  DescriptorArena::instance().become_inherited();
  MigrationLog::instance().become_inherited();
  StackPool::process().become_inherited();
  ThreadWaiter::forget_other_threads();
  LibraryThread::forget_all();
  SignalRegistry::become_inherited();
  Monitor::forget_thread();
  forget_dumps_in_progress();
  forget_dump_thread();
}

}  // namespace

void prepare_for_fork() noexcept {
  [[maybe_unused]] static const bool prepared = [] {
    // Before the first fork: one that another thread is in the middle of making would stay half made in the
    // child, and whoever asks for it there would wait for ever.
    make_stall_settings();
    make_stuck_settings();
    make_migration_handler();
    const int error = ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    WEFT_ASSERT(error == 0, "cannot prepare for fork()", WEFT_VALUE(error));
    return true;
  }();
}

void refuse_in_child(const char* call) noexcept {
  write_to_stderr({"weft: ", call, " in a child of fork()\n", kWhatIsAllowed});
  WEFT_PANIC("a child of fork() uses what only its parent can");
}

// The fiber has left its stack, so where it stands can be told.
void refuse_to_wait_in_child() noexcept {
  if (forked_fiber == nullptr) refuse_in_child("a fiber goes on");
  Fiber& fiber = *forked_fiber;
  const std::optional<HeldWait> wait = HeldWait::of(fiber);
  const FiberDescription description(fiber);
  write_to_stderr({"weft: fiber ", description.view(),
                   wait         ? " waits for "
                   : fiber.done ? " returns"
                                : " yields",
                   wait ? wait->what.text() : std::string_view(""), " in a child of fork()\n",
                   kWhatIsAllowed});
  if (wait) {
    for (const std::string& frame : describe_backtrace(wait->frames(), InnermostFrame::kReturnAddress))
      write_to_stderr({"weft:     ", frame, "\n"});
  }
  WEFT_PANIC("a fiber of the parent cannot go on in a child of fork()");
}

}  // namespace weft
