// SPDX-License-Identifier: Apache-2.0
#include "execution_context/shared_loop.hpp"

#include "event_loop/make_event_loop.hpp"
#include "execution_context/context.hpp"
#include "execution_context/library_thread.hpp"
#include "sys/signal.hpp"

#include <algorithm>
#include <new>

namespace weft {
namespace {

using Placement = EventLoopStrategy::Placement;

/// The loops there are.
struct SharedLoops {
  struct Entry {
    EventLoopStrategy strategy;
    std::weak_ptr<SharedLoop> loop;
  };
  std::mutex lock;
  std::vector<Entry> entries;  // guarded by lock

  static SharedLoops& instance() {
    static SharedLoops& loops = *new SharedLoops;  // never destroyed: contexts may be static objects
    return loops;
  }
};

}  // namespace

std::shared_ptr<SharedLoop> SharedLoop::of(const EventLoopStrategy& strategy) {
  if (strategy.placement != Placement::kPerProcess && strategy.placement != Placement::kDedicated)
    return nullptr;
  SharedLoops& loops = SharedLoops::instance();
  const std::scoped_lock lock(loops.lock);
  auto entry = std::find_if(loops.entries.begin(), loops.entries.end(),
                            [&](const auto& known) { return known.strategy == strategy; });
  if (entry == loops.entries.end()) entry = loops.entries.insert(entry, {strategy, {}});
  std::shared_ptr<SharedLoop> loop = entry->loop.lock();
  if (loop == nullptr) entry->loop = loop = std::make_shared<SharedLoop>(strategy);
  return loop;
}

void SharedLoop::lock_for_fork() noexcept { SharedLoops::instance().lock.lock(); }
void SharedLoop::unlock_after_fork() noexcept { SharedLoops::instance().lock.unlock(); }

void SharedLoop::become_inherited() noexcept {
  SharedLoops& loops = SharedLoops::instance();
  for (const SharedLoops::Entry& entry : loops.entries) {
    if (const std::shared_ptr<SharedLoop> loop = entry.loop.lock()) new (&loop->poller_) std::thread();
  }
  loops.entries.clear();
}

SharedLoop::SharedLoop(const EventLoopStrategy& strategy)
    : strategy_(strategy), loop_(make_event_loop(strategy)) {
  if (strategy.placement != Placement::kDedicated) return;
  duty_.withhold();
  const sys::BlockedSignals none(sys::all_signals());  // the program's handlers run on its own threads
  poller_ = std::thread([this] { poll(); });
}

SharedLoop::~SharedLoop() {
  if (poller_.joinable()) {
    stopped_.store(true, seq_cst);
    full_fence();  // stopped; now look whether it sleeps: pairs with the fence in poll()
    loop_->interrupt();
    poller_.join();
  }
  loop_->retire();
}

void SharedLoop::poll() noexcept {
  const LibraryThread thread("weft-poller");
  FiberQueue none;
  for (;;) {
    loop_->prepare_to_block();
    full_fence();  // announced; now look whether to stop
    if (stopped_.load(seq_cst)) return loop_->cancel_block();
    loop_->run(nobody_, none);
  }
}

void SharedLoop::Nobody::enqueue(Fiber& fiber) noexcept {
  WEFT_PANIC("a fiber at home in a thread that only polls", WEFT_VALUE(fiber.id));
}

void SharedLoop::add(Context& context) {
  const std::scoped_lock lock(lock_);
  contexts_.push_back(&context);
  context_count_.store(static_cast<std::uint32_t>(contexts_.size()), seq_cst);
}

void SharedLoop::remove(Context& context) noexcept {
  const std::scoped_lock lock(lock_);
  contexts_.erase(std::remove(contexts_.begin(), contexts_.end(), &context), contexts_.end());
  context_count_.store(static_cast<std::uint32_t>(contexts_.size()), seq_cst);
}

// Freed; now look for a sleeper: one that announces itself later finds the duty free (store buffering).
void SharedLoop::offer_duty() noexcept {
  full_fence();
  if (context_count_.load(seq_cst) < 2 || !duty_.free()) return;
  const std::scoped_lock lock(lock_);
  for (Context* context : contexts_) {
    if (context->wake_one()) return;
  }
}

}  // namespace weft
