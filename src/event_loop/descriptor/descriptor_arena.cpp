// SPDX-License-Identifier: Apache-2.0
#include "event_loop/descriptor/descriptor_arena.hpp"

#include <mutex>
#include <new>

namespace weft {

DescriptorArena& DescriptorArena::instance() noexcept {
  // Needs neither memory nor a destructor: descriptors may be closed while the process's static objects are.
  static constinit DescriptorArena arena;
  return arena;
}

Descriptor* DescriptorArena::allocate(int fd, DescriptorKind kind) noexcept {
  Descriptor* descriptor = nullptr;
  for (bool grown = false;; grown = true) {
    {
      std::scoped_lock lock(lock_);
      descriptor = vacant_;
      if (descriptor != nullptr) vacant_ = descriptor->next_vacant;
    }
    if (descriptor != nullptr || grown) break;
    grow();
  }
  if (descriptor == nullptr) return nullptr;
  descriptor->fd = fd;
  descriptor->kind = kind;
  descriptor->readiness.reset();
  return descriptor;
}

void DescriptorArena::free(Descriptor& descriptor) noexcept {
  {
    std::scoped_lock lock(descriptor.lock);
    WEFT_ASSERT(
        descriptor.nobody_waits_locked() && descriptor.writers.empty() && descriptor.peer_watches.empty(),
        "descriptor freed while a fiber waits on it", WEFT_VALUE(descriptor.fd));
    descriptor.fd = -1;
    descriptor.ownership = Ownership::kUnowned;
    descriptor.owner = {};
    descriptor.policy = nullptr;
    descriptor.edges = {};
    descriptor.peer = {};
    descriptor.counters = {};
    descriptor.migration = {};
    descriptor.backend = nullptr;
  }
  std::scoped_lock lock(lock_);
  descriptor.next_vacant = vacant_;
  vacant_ = &descriptor;
}

// A record that another thread was handling is whatever it was: nobody takes one of these any more.
void DescriptorArena::become_inherited() noexcept {
  new (&lock_) SpinLock();
  new (&grow_lock_) SpinLock();
  vacant_ = nullptr;
  chunk_count_ = 0;
  while (chunk_count_ < kChunksMax && chunks_[chunk_count_].load(relaxed) != nullptr) ++chunk_count_;
  inherited_below_ = static_cast<std::uint32_t>(chunk_count_ * kChunkSize);
  parents_users_ = true;
}

// Without the records' locks, which threads of the parent may have held. Nodes of fibers that wait to be
// ready stay in their lists: adoption finds them.
void DescriptorArena::forget_parents_users() noexcept {
  std::scoped_lock growing(grow_lock_);
  if (!parents_users_) return;
  for (std::uint32_t i = 0; i < inherited_below_; ++i) {
    Descriptor& descriptor = *at(i);
    descriptor.usage.forget_parents_users();
    new (&descriptor.writers) WaitList();
    descriptor.put_off = nullptr;
    descriptor.closer = nullptr;
  }
  parents_users_ = false;
}

void DescriptorArena::grow() noexcept {
  std::scoped_lock growing(grow_lock_);
  if (chunk_count_ == kChunksMax) return;
  Chunk* const made = new (std::nothrow) Chunk;
  if (made == nullptr) return;
  Descriptor* const chunk = made->descriptors;
  for (std::size_t i = 0; i < kChunkSize; ++i) {
    chunk[i].index = static_cast<std::uint32_t>(chunk_count_ * kChunkSize + i);
    chunk[i].next_vacant = i + 1 < kChunkSize ? &chunk[i + 1] : nullptr;
  }
  chunks_[chunk_count_++].store(made, release);  // pairs with the acquire in at()
  std::scoped_lock lock(lock_);
  chunk[kChunkSize - 1].next_vacant = vacant_;
  vacant_ = chunk;
}

}  // namespace weft
