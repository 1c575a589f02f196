// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the substitutes of base/atomic.hpp and base/spin_lock.hpp call. Each is a scheduling point of the
// exploration that is going on, and may not be called outside of one (active()).

#include <atomic>
#include <cstdint>

namespace weft::model {

/// Where in the source an operation stands.
struct Where {
  const char* file = "";
  const char* function = "";
  unsigned line = 0;

  static constexpr Where here(const char* file = __builtin_FILE(),
                              const char* function = __builtin_FUNCTION(),
                              unsigned line = __builtin_LINE()) noexcept {
    return {file, function, line};
  }
};

namespace hooks {

extern bool running;
/// Whether the caller is a thread of an exploration: then its operations are the explorer's. Otherwise they
/// act on memory, as ordinary ones.
inline bool active() noexcept { return running; }

/// `bytes` are the object's, little-endian in the low end of a word.
std::uint64_t load(void* object, unsigned size, std::memory_order, Where) noexcept;
void store(void* object, unsigned size, std::uint64_t value, std::memory_order, Where) noexcept;
/// The old value; `change(old, operand)` is stored in the same step.
using Change = std::uint64_t (*)(std::uint64_t old, std::uint64_t operand);
std::uint64_t modify(void* object, unsigned size, Change, std::uint64_t operand, std::memory_order,
                     Where) noexcept;
struct Exchange {
  std::uint64_t expected;  ///< in: what it is compared with; out: what was read
  std::uint64_t desired;
  std::memory_order success;
  std::memory_order failure;
  bool weak;  ///< may fail without reason
};
bool compare_exchange(void* object, unsigned size, Exchange&, Where) noexcept;
void fence(Where) noexcept;
/// The thread spins: it is not run again before something has changed that it has read.
void spin(Where) noexcept;
/// An object begins or ends its life at this address.
void begin_life(void* object) noexcept;
void end_life(void* object, Where) noexcept;

void lock(void* object, Where) noexcept;
bool try_lock(void* object, Where) noexcept;
void unlock(void* object, Where) noexcept;

}  // namespace hooks
}  // namespace weft::model
