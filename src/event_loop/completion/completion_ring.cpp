// SPDX-License-Identifier: Apache-2.0
#include "event_loop/completion/completion_ring.hpp"

#include "base/panic.hpp"
#include "fiber/fiber.hpp"
#include "fiber/wait_kind.hpp"
#include "sys/iovec.hpp"

#include <array>
#include <cerrno>
#include <optional>

namespace weft {
namespace {

/// Answers that are taken at once: the lock is held for so long.
constexpr std::size_t kAnswersAtOnce = 64;

[[maybe_unused]] const bool described =
    set_wait_describer(WaitKind::kFileRequest, [](const void*, WaitDescription& description) noexcept {
      description.add("a file");
      description.external = true;
    });

bool moves_bytes(sys::FileRequest::Kind kind) noexcept {
  return kind == sys::FileRequest::Kind::kRead || kind == sys::FileRequest::Kind::kWrite;
}

}  // namespace

CompletionRing::~CompletionRing() {
  if (forks_ != fork_count) return;  // what is under way is the parent's (F2)
  WEFT_ASSERT(size_ == 0, "a ring ends with requests under way", WEFT_VALUE(size_));
}

CompletionResult CompletionRing::perform(const sys::FileRequest& request, Deadline deadline) noexcept {
  using Way = CompletionResult::Way;
  const sys::Fault fault = sys::intercept(sys::call_of(request.kind), request.fd);
  if (fault.error != 0) return {.way = Way::kAnswered, .raw = -fault.error};
  sys::FileRequest made = request;
  std::optional<sys::ShortenedBuffers> shortened;
  if (moves_bytes(request.kind)) {
    shortened.emplace(std::span(request.buffers, static_cast<std::size_t>(request.count)), fault.size_max);
    made.buffers = shortened->data();
    made.count = shortened->count();
  }
  Entry entry;
  if (!submit(made, entry)) return {.way = Way::kNotTaken};
  take_and_wake();
  const WaitOutcome outcome = wait(entry, WaitWord::Cancellable::kYes, deadline);
  if (outcome == WaitOutcome::kReady) {
    const bool let_go = entry.raw == -ECANCELED;  // FO4
    return {.way = let_go ? Way::kAgain : Way::kAnswered, .raw = entry.raw};
  }
  if (!is_complete(entry)) {
    cancel(entry);
    take_and_wake();
    wait(entry, WaitWord::Cancellable::kNo, Deadline::never());
  }
  if (entry.raw == -ECANCELED || entry.raw == -EINTR)
    return {.way = Way::kEnded, .outcome = outcome, .raw = entry.raw};
  return {.way = Way::kAnswered, .raw = entry.raw};  // FO3
}

// Until the entry is complete, or the wait was ended otherwise. kReady: it is complete, and nobody else
// touches it any more.
WaitOutcome CompletionRing::wait(Entry& entry, WaitWord::Cancellable cancellable,
                                 Deadline deadline) noexcept {
  Waiter& self = this_fiber_required("waiting for a file");
  {
    const std::scoped_lock hold(lock_);
    if (entry.complete) return WaitOutcome::kReady;
    entry.ticket = self.begin(cancellable, deadline.time_ns(), {WaitKind::kFileRequest, &entry});
    entry.waiter = &self;
  }
  const WaitOutcome outcome = self.wait();
  if (outcome != WaitOutcome::kReady) {
    const std::scoped_lock hold(lock_);
    entry.waiter = nullptr;
  }
  return outcome;
}

bool CompletionRing::is_complete(Entry& entry) noexcept {
  const std::scoped_lock hold(lock_);
  return entry.complete;
}

bool CompletionRing::submit(const sys::FileRequest& request, Entry& entry) noexcept {
  const std::scoped_lock submitting(submit_mutex_);
  if (ended_) return false;
  {
    const std::scoped_lock hold(lock_);  // before the kernel can answer
    ++size_;
  }
  if (ring_.submit(request, reinterpret_cast<std::uint64_t>(&entry))) return true;
  const std::scoped_lock hold(lock_);
  --size_;
  return false;
}

// Of a request that has been answered meanwhile nothing is found.
void CompletionRing::cancel(Entry& entry) noexcept {
  const std::scoped_lock submitting(submit_mutex_);
  if (!ended_) ring_.cancel(reinterpret_cast<std::uint64_t>(&entry));
}

void CompletionRing::complete_locked(const sys::RingAnswer& answer, FiberQueue& won) noexcept {
  if (answer.name == sys::FileRing::kNobody) return;
  Entry& entry = *reinterpret_cast<Entry*>(answer.name);
  --size_;
  entry.raw = answer.raw;
  entry.complete = true;
  // Else its fiber does not wait yet, or was ended otherwise: it looks under the lock (FO2).
  if (entry.waiter != nullptr && entry.waiter->word.try_win(entry.ticket, WaitOutcome::kReady))
    won.push(static_cast<Fiber&>(*entry.waiter));
}

void CompletionRing::take(FiberQueue& won) noexcept {
  std::array<sys::RingAnswer, kAnswersAtOnce> answers;
  for (;;) {
    const std::scoped_lock hold(lock_);
    const std::size_t count = ring_.take(answers);
    for (std::size_t i = 0; i < count; ++i) complete_locked(answers[i], won);
    if (count < answers.size()) return;
  }
}

void CompletionRing::take_and_wake() noexcept {
  FiberQueue won;
  take(won);
  while (Fiber* const fiber = won.pop()) fiber->wake();
}

std::size_t CompletionRing::size() noexcept {
  const std::scoped_lock hold(lock_);
  return size_;
}

void CompletionRing::end() noexcept {
  {
    const std::scoped_lock submitting(submit_mutex_);
    ended_ = true;
    if (size() != 0) ring_.cancel_all();
  }
  for (take_and_wake(); size() != 0; take_and_wake()) ring_.wait();
}

}  // namespace weft
