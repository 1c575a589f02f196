// SPDX-License-Identifier: Apache-2.0
#include <weft/signal_set.hpp>

#include "base/panic.hpp"
#include "base/portion.hpp"
#include "fiber/budget.hpp"
#include "fiber/outcome_error.hpp"
#include "sync/signals/signal_set_core.hpp"

#include <cstring>
#include <mutex>

namespace weft {
namespace {

[[maybe_unused]] const bool signal_described =
    set_wait_describer(WaitKind::kSignal, [](const void* object, WaitDescription& description) noexcept {
      static_cast<const SignalSetCore*>(object)->describe(description);
    });

void wake_all(WaitList& won) noexcept {
  while (WaitNode* const node = won.pop_front()) node->waiter->wake();
}

}  // namespace

SignalSetCore::SignalSetCore(std::span<const int> numbers) : SignalListener(numbers) {
  SignalRegistry::add(*this);
}

SignalSetCore::~SignalSetCore() {
  SignalRegistry::remove(*this);
  const std::scoped_lock locked(lock_);
  WEFT_ASSERT(waiters_.empty() || inherited(), "a signal set is destroyed while somebody waits in it");
}

// Whoever waits looks for itself (SG5). One that comes later finds the signal.
void SignalSetCore::deliver(const Signal& signal) noexcept {
  bool first = true;
  for (bool more = true; more; first = false) {
    WaitList won;
    {
      const std::scoped_lock locked(lock_);
      if (first) push_locked(signal);
      win_locked(won);
      more = !waiters_.empty();
    }
    wake_all(won);
  }
}

void SignalSetCore::win_locked(WaitList& won) noexcept {
  for (std::uint32_t count = 0; count < kPortion; ++count) {
    WaitNode* const node = waiters_.pop_front();
    if (node == nullptr) return;
    if (node->waiter->word.try_win(node->ticket, WaitOutcome::kRetry)) won.push_back(*node);
  }
}

void SignalSetCore::push_locked(const Signal& signal) noexcept {
  if (size_ == kInOrderMax || more_in_all_ != 0) {
    ++more_[static_cast<std::size_t>(signal.number - 1)];
    ++more_in_all_;
    return;
  }
  ring_[(first_ + size_) % kInOrderMax] = signal;
  ++size_;
}

bool SignalSetCore::pop_locked(Signal& signal) noexcept {
  if (size_ != 0) {
    signal = ring_[first_];
    first_ = (first_ + 1) % kInOrderMax;
    --size_;
    return true;
  }
  if (more_in_all_ == 0) return false;
  std::size_t index = 0;
  while (more_[index] == 0) ++index;
  --more_[index];
  --more_in_all_;
  signal = Signal();
  signal.number = static_cast<int>(index) + 1;
  return true;
}

Result<Signal> SignalSetCore::try_wait() noexcept {
  if (inherited()) return Errc::closed;
  SignalRegistry::deliver();
  Signal signal;
  const std::scoped_lock locked(lock_);
  if (!pop_locked(signal)) return Errc::would_block;
  return signal;
}

Result<Signal> SignalSetCore::wait_until(Deadline deadline) noexcept {
  Runner* const runner = this_runner();
  if (!pay_from_budget(runner)) [[unlikely]]
    spend_budget(*runner);
  Waiter& self = Waiter::current();
  for (;;) {
    if (Result<Signal> signal = try_wait(); signal || signal.error() != Errc::would_block) return signal;
    WaitNode node;
    node.waiter = &self;
    {
      const std::scoped_lock locked(lock_);
      if (size_ != 0 || more_in_all_ != 0) continue;
      node.ticket = self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {WaitKind::kSignal, this});
      waiters_.push_back(node);
    }
    const WaitOutcome outcome = self.wait();
    if (outcome == WaitOutcome::kRetry) continue;
    {
      const std::scoped_lock locked(lock_);
      if (node.linked()) waiters_.remove(node);
    }
    return result_of_outcome(outcome).error();
  }
}

// Only a signal, from wherever, ends such a wait.
void SignalSetCore::describe(WaitDescription& description) const noexcept {
  description.external = true;
  description.add("a signal:");
  for (int number = 1; number <= 64; ++number) {
    if (!wants(number)) continue;
    const char* const name = ::sigabbrev_np(number);
    description.add(name == nullptr ? " " : " SIG");
    name == nullptr ? description.add_number(static_cast<std::uint64_t>(number)) : description.add(name);
  }
}

namespace detail {
void DeleteSignalSet::operator()(SignalSetCore* core) const noexcept { delete core; }
}  // namespace detail

SignalSet::SignalSet(std::initializer_list<int> numbers)
    : SignalSet(std::span<const int>(numbers.begin(), numbers.size())) {}
SignalSet::SignalSet(std::span<const int> numbers) : core_(new SignalSetCore(numbers)) {}

Result<Signal> SignalSet::wait_until(Deadline deadline) { return core_->wait_until(deadline); }
Result<Signal> SignalSet::try_wait() { return core_->try_wait(); }
CancelToken SignalSet::token() const { return core_->stop().get_token(); }

}  // namespace weft
