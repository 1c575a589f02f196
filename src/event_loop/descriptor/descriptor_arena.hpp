// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where descriptors live: one arena for the process, grown in chunks that are never given back, so an index
// from an old event always finds memory of the right type.
//
// Thread safety: any thread. at() is lock-free; allocate() and free() take a lock once for each open and
// close.

#include "base/atomic.hpp"
#include "base/fork_count.hpp"
#include "base/spin_lock.hpp"
#include "event_loop/descriptor/descriptor.hpp"

#include <cstddef>

namespace weft {

class DescriptorArena {
 public:
  DescriptorArena() = default;
  DescriptorArena(const DescriptorArena&) = delete;
  DescriptorArena& operator=(const DescriptorArena&) = delete;

  /// The process's arena.
  static DescriptorArena& instance() noexcept;

  /// A vacant record made to stand for `fd`, or null when memory or the 4 million records are used up.
  /// It is not open yet: the caller may fill `backend` and then calls usage.open().
  Descriptor* allocate(int fd, DescriptorKind kind) noexcept;

  /// In a child of fork(): the records there are stand for the parent's files, and for no others from now on.
  void become_inherited() noexcept;
  /// By the first context of the child, before a fiber runs there: what the parent's fibers were doing with
  /// them is not waited for. Not at the fork: a child that only wants to exec touches none of the records.
  void forget_parents_users() noexcept;
  /// Whether the file was there before the fork() that made this process, and no fiber has waited for it
  /// here.
  bool inherited(const Descriptor& descriptor) const noexcept {
    return descriptor.index < inherited_below_ && descriptor.adopted_by.load(relaxed) != fork_count;
  }
  /// Whether a user of `descriptor` may be one of the parent's, who never leaves.
  bool has_parents_users(const Descriptor& descriptor) const noexcept {
    return parents_users_ && descriptor.index < inherited_below_;
  }

  /// Takes a record back. REQUIRES: leave() of its usage word returned true for the caller.
  void free(Descriptor& descriptor) noexcept;

  /// The record of an index; null if there never was one.
  Descriptor* at(std::uint32_t index) noexcept {
    Chunk* const chunk =
        index / kChunkSize < kChunksMax ? chunks_[index / kChunkSize].load(acquire) : nullptr;
    return chunk == nullptr ? nullptr : chunk->descriptors + index % kChunkSize;
  }

  /// Brings the record of an index nearer, if there is one.
  void prefetch(std::uint32_t index) noexcept {
    const Descriptor* const descriptor = at(index);
    if (descriptor == nullptr) return;
    __builtin_prefetch(descriptor, 1);
    __builtin_prefetch(reinterpret_cast<const std::byte*>(descriptor) + kCacheLine, 1);
  }
  /// And then the page of who probably waits for it.
  void prefetch_waiter(std::uint32_t index) noexcept {
    if (const Descriptor* const descriptor = at(index))
      __builtin_prefetch(descriptor->last_node.load(relaxed), 1);
  }

  /// Calls `visit(descriptor)` for every record there is, vacant ones included.
  template <class Visit>
  void for_each(Visit&& visit) {
    for_each_chunk([&](Chunk& chunk) {
      for (Descriptor& descriptor : chunk.descriptors) visit(descriptor);
    });
  }

  /// `descriptor.owner` becomes `loop`. With the descriptor's lock.
  void set_owner_locked(Descriptor& descriptor, LoopId loop) noexcept {
    descriptor.owner = loop;
    chunks_[descriptor.index / kChunkSize].load(relaxed)->owners[descriptor.index % kChunkSize].store(
        mark_of(loop), relaxed);
  }
  /// Calls `visit(descriptor)` for each record whose owner is `loop`, or was not long ago. Those that
  /// set_owner_locked() makes meanwhile may be missed. The marks stand beside each other: others' records are
  /// not touched.
  template <class Visit>
  void for_each_of(LoopId loop, Visit&& visit) {
    for_each_chunk([&](Chunk& chunk) {
      for (std::size_t k = 0; k < kChunkSize; ++k) {
        if (chunk.owners[k].load(relaxed) == mark_of(loop)) visit(chunk.descriptors[k]);
      }
    });
  }

 private:
  static constexpr std::size_t kChunkSize = 256;
  static constexpr std::size_t kChunksMax = 16384;

  struct Chunk {
    Descriptor descriptors[kChunkSize];
    Atomic<std::uint32_t> owners[kChunkSize] = {};  // marks of the loops that owned them last; 0: none did
  };

  static std::uint32_t mark_of(LoopId loop) noexcept { return loop.index + 1; }
  template <class Visit>
  void for_each_chunk(Visit&& visit) {
    for (std::size_t i = 0; i < kChunksMax; ++i) {
      Chunk* const chunk = chunks_[i].load(acquire);
      if (chunk == nullptr) return;
      visit(*chunk);
    }
  }
  void grow() noexcept;

  SpinLock lock_;
  SpinLock grow_lock_;
  Descriptor* vacant_ = nullptr;  // guarded by lock_
  std::size_t chunk_count_ = 0;   // guarded by grow_lock_
  Atomic<Chunk*> chunks_[kChunksMax] = {};
  std::uint32_t inherited_below_ = 0;  // written while the process has one thread
  bool parents_users_ = false;         // of inherited records are still counted; guarded by grow_lock_
};

}  // namespace weft
