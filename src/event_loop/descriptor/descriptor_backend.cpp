// SPDX-License-Identifier: Apache-2.0
#include "event_loop/descriptor/descriptor_backend.hpp"

namespace weft {

Result<std::size_t> DescriptorBackend::receive_message(msghdr&, int) { return Errc::unsupported; }
Result<std::size_t> DescriptorBackend::send_message(const msghdr&) { return Errc::unsupported; }
Result<void> DescriptorBackend::name_peer(const sys::RawAddress&) { return Errc::unsupported; }
Result<void> DescriptorBackend::set_option(int, int, std::span<const std::byte>) { return Errc::unsupported; }
Result<int> DescriptorBackend::option(int, int) { return Errc::unsupported; }

}  // namespace weft
