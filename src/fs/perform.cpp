// SPDX-License-Identifier: Apache-2.0
#include "fs/perform.hpp"

#include "event_loop/completion/completion_ring.hpp"
#include "event_loop/event_loop.hpp"
#include "event_loop/network.hpp"
#include "fiber/budget.hpp"
#include "fiber/fiber.hpp"
#include "fiber/outcome_error.hpp"
#include "fs/ways.hpp"
#include "sys/errors.hpp"

#include <weft/blocking.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>

namespace weft::fs {
namespace {

using Hand = Ways::Hand;
using Way = CompletionResult::Way;

constexpr long kAgain = -EINTR;

Result<long> on_pool(const sys::FileRequest& request, Deadline deadline) {
  const Result<long> raw = blocking_until(deadline, [&] { return sys::call(request); });
  // Without a thread for it: a descriptor is given back in any case.
  if (!raw && request.kind == sys::FileRequest::Kind::kClose) return sys::call(request);
  return raw;
}

bool in_fiber() noexcept {
  const Runner* const runner = this_runner();
  return runner != nullptr && runner->current != nullptr;
}

/// -EINTR: it is to be tried again.
Result<long> hand_over(const sys::FileRequest& request, Deadline deadline) {
  if (!in_fiber()) return sys::call(request);
  const Hand hand = ways().hand;
  if (hand == Hand::kPool || !sys::FileRing::takes(request.kind)) return on_pool(request, deadline);
  if (const auto ring = this_runner()->event_loop->completions()) {
    const CompletionResult result = ring->perform(request, deadline);
    if (result.way == Way::kAnswered) return result.raw;
    if (result.way == Way::kAgain) return kAgain;
    if (result.way == Way::kEnded) return error_of_outcome(result.outcome);
  } else if (hand == Hand::kRing) {
    return Errc::unsupported;
  }
  return on_pool(request, deadline);
}

bool is_of_world(int fd, bool simulated) noexcept {
  return fd < 0 || (fd >= FileWorld::kDescriptorMin) == simulated;
}

bool in_simulation() noexcept { return in_fiber() && this_runner()->network != nullptr; }

/// Whether it may begin.
Result<void> begin(const sys::FileRequest& request, Deadline deadline) {
  const bool simulated = in_simulation();
  if (!is_of_world(request.fd, simulated) || !is_of_world(request.other_fd, simulated))
    return Errc::unsupported;
  if (!in_fiber()) return {};
  if (const WaitOutcome due = end_due(*this_runner(), deadline); due != WaitOutcome::kReady)
    return result_of_outcome(due);
  return {};
}

/// As a disk that takes its time, and cannot be called back then.
Result<long> simulate(const sys::FileRequest& request, Deadline deadline) {
  const std::shared_ptr<FileWorld> world = file_world_here();
  if (world == nullptr) return Errc::unsupported;
  if (const std::int64_t latency = world->next_latency_ns(); latency > 0) {
    const Deadline answer = Deadline::after_ns(latency);
    if (const Result<void> slept = sleep_until(std::min(answer, deadline)); !slept) return slept.error();
    if (!answer.passed()) return Errc::timed_out;
  }
  return world->call(request);
}

Result<std::size_t> wait_for(const sys::FileRequest& request, Deadline deadline) {
  for (;;) {
    if (const WaitOutcome ended = Waiter::current().cancellation(); ended != WaitOutcome::kReady)
      return error_of_outcome(ended);
    if (deadline.passed()) return Errc::timed_out;
    const Result<long> raw = in_simulation() ? simulate(request, deadline) : hand_over(request, deadline);
    if (!raw) return raw.error();
    if (*raw == kAgain) continue;
    if (in_fiber()) spend_budget();
    return sys::size_result(*raw);
  }
}

bool would_wait(long raw) noexcept { return raw == -EAGAIN || raw == -EINTR || raw == -EOPNOTSUPP; }

}  // namespace

Result<std::size_t> perform(const sys::FileRequest& request, Deadline deadline) {
  if (const Result<void> begun = begin(request, deadline); !begun) return begun.error();
  return wait_for(request, deadline);
}

Result<std::size_t> perform_read(const sys::FileRequest& request, Deadline deadline, bool& at_once) {
  if (const Result<void> begun = begin(request, deadline); !begun) return begun.error();
  if (at_once && ways().at_once && !in_simulation()) {
    const long raw = sys::read_now(request);
    if (!would_wait(raw)) {
      if (in_fiber()) spend_budget();
      return sys::size_result(raw);
    }
    if (raw == -EOPNOTSUPP) at_once = false;
  }
  return wait_for(request, deadline);
}

Result<std::size_t> perform_at_once(const sys::FileRequest& request) {
  const std::shared_ptr<FileWorld> world = file_world_here();
  if (!is_of_world(request.fd, world != nullptr)) return Errc::unsupported;
  for (;;) {
    const long raw = world != nullptr ? world->call(request) : sys::call(request);
    if (raw != kAgain) return sys::size_result(raw);
  }
}

std::shared_ptr<FileWorld> file_world_here() noexcept {
  return in_simulation() ? this_runner()->network->files() : nullptr;
}

Result<std::string> path_for_kernel(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return sys::error_of(EINVAL);
  return std::string(path);
}

}  // namespace weft::fs
