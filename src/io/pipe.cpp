// SPDX-License-Identifier: Apache-2.0
#include <weft/io/pipe.hpp>

#include "event_loop/operation/files.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"

namespace weft::io {

Result<Pipe> make_pipe() {
  const Result<DescriptorPair> pair = network_here("make_pipe()").make_pipe();
  if (!pair) return pair.error();
  using weft::detail::StreamAccess;
  return Pipe{StreamAccess::make<PipeReader>(pair->first), StreamAccess::make<PipeWriter>(pair->second)};
}

PipeReader& PipeReader::operator=(PipeReader&& other) noexcept {
  transfer(handle_, other.handle_);
  return *this;
}

PipeReader::~PipeReader() { close_if_open(handle_); }

Result<std::size_t> PipeReader::read_some_until(MutableBuffer buffer, Deadline deadline) {
  if (buffer.empty()) return std::size_t{0};
  require_fiber("read_some() of a pipe");
  return Files::read(handle_, buffer, deadline);
}

Result<std::size_t> PipeReader::read_some_until(std::span<const std::span<std::byte>> buffers,
                                                Deadline deadline) {
  return read_vectored(handle_, buffers, deadline, "read_some() of a pipe");
}

Result<std::size_t> PipeReader::read_some_until(BufferSource& source, Deadline deadline) {
  require_fiber("read_some() of a pipe");
  return Files::read_when_ready(handle_, source, deadline);
}

Result<void> PipeReader::wait_readable(Deadline deadline) {
  require_fiber("wait_readable() of a pipe");
  return Files::wait_ready(handle_, Direction::kRead, deadline);
}

Result<void> PipeReader::close() { return close_once(handle_); }
bool PipeReader::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }
int PipeReader::native_handle() const noexcept { return number_of(handle_); }

PipeWriter& PipeWriter::operator=(PipeWriter&& other) noexcept {
  transfer(handle_, other.handle_);
  return *this;
}

PipeWriter::~PipeWriter() { close_if_open(handle_); }

Result<std::size_t> PipeWriter::write_some_until(ConstBuffer data, Deadline deadline) {
  if (data.empty()) return std::size_t{0};
  require_fiber("write_some() of a pipe");
  return Files::write(handle_, data, deadline);
}

Progress PipeWriter::write_all_until(ConstBuffer data, Deadline deadline) {
  return write_whole(handle_, std::span<const std::byte>(data), deadline, "write_all() of a pipe");
}

Progress PipeWriter::write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline) {
  return write_whole(handle_, buffers, deadline, "write_all() of a pipe");
}

Result<void> PipeWriter::wait_writable(Deadline deadline) {
  require_fiber("wait_writable() of a pipe");
  return Files::wait_ready(handle_, Direction::kWrite, deadline);
}

Result<void> PipeWriter::close() { return close_once(handle_); }
bool PipeWriter::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }
int PipeWriter::native_handle() const noexcept { return number_of(handle_); }

}  // namespace weft::io
