// SPDX-License-Identifier: Apache-2.0
#include "event_loop/polling/read_policy.hpp"

namespace weft {
namespace {

// Relaxed: a setting, which orders nothing.
Atomic<ReadPolicy> read_policy{ReadPolicy::kShortCount};

}  // namespace

void set_read_policy(ReadPolicy policy) noexcept { read_policy.store(policy, relaxed); }

DescriptorKind stream_kind() noexcept {
  return read_policy.load(relaxed) == ReadPolicy::kShortCount ? DescriptorKind::kStream
                                                              : DescriptorKind::kSocket;
}

}  // namespace weft
