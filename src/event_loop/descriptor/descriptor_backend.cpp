// SPDX-License-Identifier: Apache-2.0
#include "event_loop/descriptor/descriptor_backend.hpp"

#include "sys/errors.hpp"

namespace weft {

Result<std::size_t> DescriptorBackend::receive_message(msghdr&, int) { return sys::error_of(ENOTSOCK); }
Result<std::size_t> DescriptorBackend::send_message(const msghdr&) { return sys::error_of(ENOTSOCK); }
Result<void> DescriptorBackend::name_peer(const sys::RawAddress&) { return sys::error_of(ENOTSOCK); }
Result<void> DescriptorBackend::set_option(int, int, std::span<const std::byte>) {
  return sys::error_of(ENOTSOCK);
}
Result<int> DescriptorBackend::option(int, int) { return sys::error_of(ENOTSOCK); }

}  // namespace weft
