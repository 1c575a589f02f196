// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/operate.hpp"

namespace weft {

/// For those that ask a socket something, which any thread may of the kernel's.
template <class Call, class BackendCall>
auto ask(DescriptorHandle handle, Call&& call, BackendCall&& ask_backend) -> decltype(call(0)) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  if (descriptor->kind != DescriptorKind::kSimulated) return call(descriptor->fd);
  const Runner* const runner = this_runner();
  if (runner == nullptr || !same_world(*runner, *descriptor)) return Errc::unsupported;
  return ask_backend(*descriptor->backend);
}

}  // namespace weft
