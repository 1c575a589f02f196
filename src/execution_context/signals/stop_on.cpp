// SPDX-License-Identifier: Apache-2.0
#include "execution_context/signals/stop_on.hpp"

#include <weft/run.hpp>

namespace weft {

StopOn::StopOn(std::span<const int> numbers) : SignalListener(numbers) { SignalRegistry::add(*this); }

StopOn::~StopOn() { SignalRegistry::remove(*this); }

void StopOn::deliver(const Signal& signal) noexcept {
  if (++signals_ > 1) act_by_default(signal.number);
}

// Ends it at once if a signal has come before.
void StopOn::enter() noexcept {
  scope_.enter(CancelNode::kNoDeadline, CancelNode::Shield::kNo);
  bound_.emplace(stop().get_token(), End{&scope_});
}

void StopOn::leave() noexcept {
  bound_.reset();  // waits for a call that is going on: a few instructions, and no suspension
  scope_.leave();
}

namespace detail {

StopScope::StopScope(StopOn* stop) noexcept : stop_(stop) {
  if (stop_ != nullptr) stop_->enter();
}

StopScope::~StopScope() {
  if (stop_ != nullptr) stop_->leave();
}

}  // namespace detail
}  // namespace weft
