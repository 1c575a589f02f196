// SPDX-License-Identifier: Apache-2.0
#pragma once

// What waits are for, as dumps and debuggers tell it (docs/design/dump.md). The kind of a wait stands in its
// wait word and costs nothing; each layer says how its own kinds are described.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft {

/// The numbers are known to the debugger's script (tools/gdb/weft_gdb.py).
enum class WaitKind : std::uint8_t {
  kUnknown,
  kJoin,         ///< a Fiber
  kSleep,        ///< nothing
  kRead,         ///< a Descriptor
  kWrite,        ///< a Descriptor
  kClose,        ///< a Descriptor
  kContextEnd,   ///< a Context
  kMutex,        ///< the word of a Mutex, its first member
  kSharedMutex,  ///< a SharedMutex, to be locked
  kSharedMutexShared,
  kCondition,  ///< the queue of a ConditionVariable, its first member
  kSemaphore,
  kCountdown,         ///< of a WaitGroup or Latch
  kSend,              ///< a ChannelCore
  kReceive,           ///< a ChannelCore
  kSelect,            ///< a SelectPlan
  kGroup,             ///< a GroupCore
  kPeerEnd,           ///< a Descriptor
  kPermits,           ///< a RateLimiterCore
  kBroadcastSend,     ///< a BroadcastCore
  kBroadcastReceive,  ///< a BroadcastCore
  kChange,            ///< a WatchCore
  kPoolThread,        ///< a BlockingTask that has not started
  kBlockingCall,      ///< a BlockingTask that runs
  kSignal,            ///< a SignalSetCore
  kBootTime,          ///< nothing
  kFileRequest,       ///< an Entry of a CompletionRing
};
inline constexpr std::size_t kWaitKinds = 27;

struct WaitingFor {
  WaitKind kind = WaitKind::kUnknown;
  const void* object = nullptr;
};

namespace detail {

/// What a describer says about a wait. Filled while the wait is held: nothing here allocates, locks or
/// suspends.
class WaitDescription {
 public:
  void add(std::string_view text) noexcept;
  void add_number(std::uint64_t number) noexcept;
  void add_address(const void* address) noexcept;
  std::string_view text() const noexcept { return {text_.data(), size_}; }

  /// The one fiber whose doing ends the wait, if that is known; 0: it is not.
  std::uint64_t fiber_id = 0;
  /// Something that is not a fiber may end the wait: the kernel, a timer.
  bool external = false;

  /// Adds what takes system calls, after the wait was let go; null: there is nothing to add.
  void (*complete)(WaitDescription&) noexcept = nullptr;
  const void* object = nullptr;  ///< for complete()
  std::uint32_t generation = 0;  ///< for complete()

 private:
  std::array<char, 400> text_;
  std::size_t size_ = 0;
};

}  // namespace detail

using detail::WaitDescription;

/// Describes a wait for `object`. Called with the wait held: `object` is alive.
using WaitDescriber = void (*)(const void* object, WaitDescription&) noexcept;

/// By a static initializer of the source that waits: whoever can wait so can be described. True.
bool set_wait_describer(WaitKind kind, WaitDescriber describer) noexcept;

/// "mutex 0x7f..., held by fiber #5". REQUIRES: the wait is held. A kind without a describer counts as
/// external: nobody knows who ends it.
void describe_wait(WaitingFor what, WaitDescription&) noexcept;

}  // namespace weft
