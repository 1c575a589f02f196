// SPDX-License-Identifier: Apache-2.0
#include "model/runtime/fibers.hpp"

#include "base/panic.hpp"

namespace weft::model {

void ModelRunner::finish() noexcept { WEFT_PANIC("a fiber of a model ends with its thread"); }

void ModelRunner::arm_timer(Waiter& waiter) noexcept {
  WEFT_ASSERT(timers != nullptr, "a fiber of this model has no timers");
  [[maybe_unused]] const bool first = timers->arm(waiter);
}

void ModelRunner::disarm_timer(Waiter& waiter) noexcept { timers->disarm(waiter); }

ModelFibers::ModelFibers() {
  for (std::size_t i = 0; i < kFibers; ++i) {
    fibers_[i] = Fiber::create(StackPool::process(), nullptr, {.home = this});
    runners_[i].home = this;
    runners_[i].current = fibers_[i];
  }
}

// Each execution must find the fiber as the first one did, or it could not be repeated.
std::function<void()> ModelFibers::fiber(std::size_t index, std::function<void()> body) {
  fibers_[index]->word.reset();
  runners_[index].budget = 1000;  // yielding is no matter of these models
  runners_[index].random_state = 1;
  runners_[index].writes = nullptr;
  runners_[index].on_suspend = {};
  return [this, index, body = std::move(body)] {
    threads_[index] = Execution::current().running();
    set_this_runner(&runners_[index]);
    body();
    if (fibers_[index]->uses_timer && runners_[index].timers != nullptr)
      runners_[index].timers->disarm(*fibers_[index]);
    check(Execution::current().running_thread().tokens == 0, "a fiber ends that is enqueued");
  };
}

void ModelFibers::enqueue(Fiber& fiber) noexcept {
  for (std::size_t i = 0; i < kFibers; ++i) {
    if (fibers_[i] == &fiber) return model::enqueue(threads_[i]);
  }
  WEFT_PANIC("not a fiber of this model");
}

}  // namespace weft::model
