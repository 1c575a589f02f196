// SPDX-License-Identifier: Apache-2.0
#include "event_loop/event_loop.hpp"

#include "event_loop/write_batch/write_turn.hpp"

namespace weft {

Result<DescriptorHandle> EventLoop::adopt_listener(int) { return Errc::unsupported; }

Result<std::size_t> EventLoop::write(DescriptorHandle handle, std::span<const std::byte> data,
                                     Deadline deadline) {
  const WriteTurn turn(handle, deadline);
  if (!turn) return turn.error();
  return write_in_turn(*turn, data, deadline);
}

Result<std::size_t> EventLoop::write_vectored(DescriptorHandle handle, std::span<const iovec> buffers,
                                              Deadline deadline) {
  const WriteTurn turn(handle, deadline);
  if (!turn) return turn.error();
  return write_vectored_in_turn(*turn, buffers, deadline);
}

Result<void> EventLoop::write_all_in_turn(Descriptor& descriptor, std::span<const std::byte> data,
                                          Deadline deadline) {
  while (!data.empty()) {
    const Result<std::size_t> written = write_in_turn(descriptor, data, deadline);
    if (!written) return written.error();
    data = data.subspan(*written);
    if (!data.empty() && deadline.passed()) return Errc::timed_out;
  }
  return {};
}

Result<std::size_t> EventLoop::write_then_read(DescriptorHandle handle, std::span<const std::byte> data,
                                               BufferSource& source, const ExchangeDeadlines& deadlines) {
  {
    const WriteTurn turn(handle, deadlines.write);
    if (!turn) return turn.error();
    if (const Result<void> written = write_all_in_turn(*turn, data, deadlines.write); !written)
      return written.error();
  }
  source.give_back();  // `data` may lie in it, and the read may have to wait
  return read_when_ready(handle, source, deadlines.read);
}

}  // namespace weft
