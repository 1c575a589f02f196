// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether a short read is believed (L2): for experiments that want to see what it saves. A stream gets its
// kind when it is opened, so the operations themselves ask nothing more than before.

#include "base/atomic.hpp"
#include "event_loop/descriptor/descriptor.hpp"

#include <cstdint>

namespace weft {

enum class ReadPolicy : std::uint8_t {
  kShortCount,  ///< a short count proves that a stream is drained
  kToEagain,    ///< only EAGAIN does
};

/// Of the streams that are opened from now on, in the whole process. Any thread.
void set_read_policy(ReadPolicy policy) noexcept;

/// What a new TCP connection is.
DescriptorKind stream_kind() noexcept;

}  // namespace weft
