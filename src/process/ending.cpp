// SPDX-License-Identifier: Apache-2.0
#include "process/ending.hpp"

#include <weft/cancel_scope.hpp>

#include <csignal>
#include <utility>

namespace weft::process {
namespace {

/// A process dies of SIGKILL when the kernel's call that it is in has returned.
constexpr std::chrono::seconds kDeathTimeout{5};

/// They run although they were killed. Never destroyed: threads may outlive static destructors.
struct Abandoned {
  std::mutex mutex;
  ChildCore* first = nullptr;
};

Abandoned& abandoned() {
  static auto* const instance = new Abandoned;
  return *instance;
}

void abandon(ChildCore* core) noexcept {
  Abandoned& all = abandoned();
  const std::scoped_lock locked(all.mutex);
  core->next_abandoned = all.first;
  all.first = core;
}

/// Whether it has ended, or cannot be waited for.
bool is_over(const Result<void>& waited) noexcept {
  return waited || waited.error() == std::errc::no_child_process;
}

/// Whether it ends of a request to end. A wait that fails, as the event loop lacks memory, ends the grace.
bool complies(ChildCore& core, std::chrono::nanoseconds grace) noexcept {
  [[maybe_unused]] const Result<void> sent = core.send(SIGTERM);  // ESRCH: it has ended
  return is_over(core.wait(Reap::kNo, Deadline::after(grace)));
}

/// A wait that fails is made on the thread itself: it is short. EPERM: the program has more rights than this
/// one.
Result<void> kill(ChildCore& core) noexcept {
  const Result<void> sent = core.send(SIGKILL);
  if (sent.error() == std::errc::operation_not_permitted) return sent;
  const Deadline deadline = Deadline::after(kDeathTimeout);
  const Result<void> waited = core.wait(Reap::kNo, deadline);
  if (is_over(waited) || waited.error() == Errc::timed_out) return waited;
  return core.wait_blocking(Reap::kNo, deadline);
}

/// Those that have ended, off the list. One that cannot be asked counts as ended.
ChildCore* take_ended() noexcept {
  Abandoned& all = abandoned();
  const std::unique_lock locked(all.mutex, std::try_to_lock);
  if (!locked) return nullptr;  // whoever has it does the same
  ChildCore* ended = nullptr;
  for (ChildCore** place = &all.first; *place != nullptr;) {
    ChildCore* const core = *place;
    if (core->inherited() || core->look(Reap::kYes).value_or(true)) {
      *place = std::exchange(core->next_abandoned, ended);
      ended = core;
    } else {
      place = &core->next_abandoned;
    }
  }
  return ended;
}

}  // namespace

Result<void> end_process(ChildCore& core, std::chrono::nanoseconds grace) noexcept {
  const CancelShield shield;
  if (core.status()) return {};
  const bool asks = grace > std::chrono::nanoseconds::zero();
  if (!asks || !complies(core, grace)) {
    if (const Result<void> killed = kill(core); !is_over(killed)) return killed;
  }
  return core.reap_with_group();
}

void dispose(ChildCore* core) noexcept {
  // The child of another process is not this one's to wait for.
  if (!core->inherited() && !is_over(end_process(*core, core->grace()))) {
    abandon(core);
    return;
  }
  delete core;
}

void reap_abandoned() noexcept {
  for (ChildCore* core = take_ended(); core != nullptr;) delete std::exchange(core, core->next_abandoned);
}

}  // namespace weft::process
