// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared by Channel<T> and the branches of a select: the untyped channel, and the operations that it needs of
// T. Internal: this header may change at any time.

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft {

class ChannelCore;  // src/sync/channel_core.hpp

namespace detail {

/// The operations of an element type.
struct ElementType {
  std::size_t size;
  std::size_t alignment;
  std::uint8_t plain_size;  ///< 4 or 8: a move copies that many bytes; 0: a move calls the functions
  void (*move)(void* to, void* from) noexcept;      ///< constructs *to from *from, which is then moved from
  void (*relocate)(void* to, void* from) noexcept;  ///< the same, then destroys *from
  void (*destroy)(void* element) noexcept;
};

template <class T>
inline constexpr ElementType kElementType = {
    sizeof(T),
    alignof(T),
    std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8) ? sizeof(T) : 0,
    [](void* to, void* from) noexcept { new (to) T(std::move(*static_cast<T*>(from))); },
    [](void* to, void* from) noexcept {
      T& source = *static_cast<T*>(from);
      new (to) T(std::move(source));
      std::destroy_at(&source);
    },
    [](void* element) noexcept { std::destroy_at(static_cast<T*>(element)); }};

/// How a call on a channel ended.
enum class ChannelStatus : std::uint8_t { kDone, kClosed, kTimedOut, kCancelled, kWouldBlock, kLagged };

/// REQUIRES: not kDone.
constexpr Errc errc_of(ChannelStatus status) noexcept {
  switch (status) {
    case ChannelStatus::kTimedOut: return Errc::timed_out;
    case ChannelStatus::kCancelled: return Errc::cancelled;
    case ChannelStatus::kWouldBlock: return Errc::would_block;
    case ChannelStatus::kLagged: return Errc::lagged;
    default: return Errc::closed;
  }
}

inline Result<void> result_of_status(ChannelStatus status) noexcept {
  if (status == ChannelStatus::kDone) return {};
  return errc_of(status);
}

/// Throws std::length_error or std::bad_alloc.
ChannelCore* create_channel(const ElementType& type, std::size_t capacity);
/// In a build with WEFT_CHECK_LOCKS a later use of `*place` is a BUG.
void destroy_channel(ChannelCore* core, ChannelCore** place) noexcept;

/// `value` is moved from if the status is kDone, and untouched otherwise.
ChannelStatus channel_send(ChannelCore& core, void* value, Deadline deadline) noexcept;
ChannelStatus channel_try_send(ChannelCore& core, void* value) noexcept;
/// `element` is constructed if the status is kDone.
ChannelStatus channel_receive(ChannelCore& core, void* element, Deadline deadline) noexcept;
ChannelStatus channel_try_receive(ChannelCore& core, void* element) noexcept;

bool channel_close(ChannelCore& core) noexcept;
bool channel_closed(ChannelCore& core) noexcept;
std::size_t channel_size(ChannelCore& core) noexcept;
std::size_t channel_capacity(const ChannelCore& core) noexcept;

/// Uninitialized storage for an element that may be received.
template <class T>
class ElementRoom {
 public:
  ElementRoom() noexcept {}
  ~ElementRoom() {}
  ElementRoom(const ElementRoom&) = delete;
  ElementRoom& operator=(const ElementRoom&) = delete;

  void* address() noexcept { return std::addressof(element_); }

  /// The received element, or the error.
  Result<T> take(ChannelStatus status) noexcept {
    if (status != ChannelStatus::kDone) return errc_of(status);
    Result<T> result(std::move(element_));
    std::destroy_at(std::addressof(element_));
    return result;
  }

 private:
  union {
    T element_;
  };
};

}  // namespace detail
}  // namespace weft
