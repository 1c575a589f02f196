// SPDX-License-Identifier: Apache-2.0
#pragma once

// A value that is stored once and shared by all readers. Internal: this header may change at any time.

#include <weft/detail/channel_core.hpp>
#include <weft/detail/lock_owner.hpp>
#include <weft/result.hpp>

#include <memory>
#include <utility>

namespace weft::detail {

using SharedValue = std::shared_ptr<const void>;

[[noreturn]] void refuse_null_value() noexcept;
[[noreturn]] void refuse_destroyed_object() noexcept;

/// BUG, in builds with WEFT_CHECK_LOCKS, if the object was destroyed: then its core is null.
template <class Core>
Core& require_alive(Core* core) noexcept {
#if WEFT_CHECK_LOCKS
  if (core == nullptr) [[unlikely]]
    refuse_destroyed_object();
#endif
  return *core;
}

/// BUG if it is null.
inline SharedValue require_value(SharedValue value) noexcept {
  if (value == nullptr) [[unlikely]]
    refuse_null_value();
  return value;
}

template <class T>
std::shared_ptr<const T> shared_as(SharedValue&& value) noexcept {
  return std::static_pointer_cast<const T>(std::move(value));
}

/// The value, or the error.
template <class T>
Result<std::shared_ptr<const T>> shared_result(ChannelStatus status, SharedValue&& value) noexcept {
  if (status != ChannelStatus::kDone) return errc_of(status);
  return shared_as<T>(std::move(value));
}

}  // namespace weft::detail
