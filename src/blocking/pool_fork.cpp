// SPDX-License-Identifier: Apache-2.0
// Blocking pools in a child of fork(): each is there, without threads and without calls.
#include "base/panic.hpp"
#include "blocking/pool_core.hpp"

#include <mutex>
#include <new>
#include <pthread.h>

namespace weft {
namespace {

struct Pools {
  std::mutex lock;  // held over a fork
  IntrusiveList<BlockingPoolCore, BlockingPoolCore> list;
};

/// Without a destructor: pools may end after statics.
Pools& pools() noexcept {
  alignas(Pools) static std::byte storage[sizeof(Pools)];
  static Pools* const all = new (storage) Pools();
  return *all;
}

void after_fork_in_child() noexcept {
  pools().list.for_each([](BlockingPoolCore& pool) { pool.become_inherited(); });
  pools().lock.unlock();
}

void prepare_pools_for_fork() noexcept {
  [[maybe_unused]] static const bool prepared = [] {
    const int error =
        ::pthread_atfork([] { pools().lock.lock(); }, [] { pools().lock.unlock(); }, after_fork_in_child);
    WEFT_ASSERT(error == 0, "cannot prepare blocking pools for fork()", WEFT_VALUE(error));
    return true;
  }();
}

}  // namespace

void add_pool(BlockingPoolCore& pool) {
  prepare_pools_for_fork();
  const std::scoped_lock locked(pools().lock);
  pools().list.push_back(pool);
}

void remove_pool(BlockingPoolCore& pool) noexcept {
  const std::scoped_lock locked(pools().lock);
  pools().list.remove(pool);
}

// What the parent's threads held at the time is made anew; whoever waits for the pool does so in the parent.
void BlockingPoolCore::become_inherited() noexcept {
  new (&lock_) SpinLock();
  new (&queue_) WaitList();
  new (&idle_) IntrusiveList<PoolThread>();
  queue_size_ = 0;
  idle_count_ = 0;
  threads_ = 0;
}

}  // namespace weft
