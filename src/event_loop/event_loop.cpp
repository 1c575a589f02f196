// SPDX-License-Identifier: Apache-2.0
#include "event_loop/event_loop.hpp"

namespace weft {

Result<std::size_t> EventLoop::write_then_read(DescriptorHandle handle, std::span<const std::byte> data,
                                               BufferSource& source, const ExchangeDeadlines& deadlines) {
  while (!data.empty()) {
    const Result<std::size_t> written = write(handle, data, deadlines.write);
    if (!written) return written.error();
    data = data.subspan(*written);
  }
  return read_when_ready(handle, source, deadlines.read);
}

}  // namespace weft
