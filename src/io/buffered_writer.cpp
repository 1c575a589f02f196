// SPDX-License-Identifier: Apache-2.0
#include <weft/io/buffered_writer.hpp>

#include "io/own_type_check.hpp"

#include <cstring>
#include <span>

namespace weft::io {

Result<std::size_t> BufferedWriter::write_some_until(ConstBuffer whole, Deadline deadline) {
  const std::span<const std::byte> data = whole;
  if (data.empty()) return std::size_t{0};
  if (data.size() > capacity_ - end_) {
    if (const Result<void> flushed = flush_until(deadline); !flushed) return flushed.error();
    if (data.size() >= capacity_) {
      const Result<std::size_t> written = sink_.write_some_until(whole, deadline);
      if (!written) return written;
      return checked_written(*written, data.size());
    }
  }
  if (data_ == nullptr) data_ = std::make_unique_for_overwrite<char[]>(capacity_);
  std::memcpy(data_.get() + end_, data.data(), data.size());
  end_ += data.size();
  return data.size();
}

Result<void> BufferedWriter::flush_until(Deadline deadline) {
  if (buffer().empty()) return {};
  const Progress sent = sink_.write_all_until(buffer(), deadline);
  begin_ += sent.bytes();
  if (!sent) return sent.error();
  discard();
  return {};
}

void BufferedWriter::discard() noexcept {
  data_.reset();
  begin_ = end_ = 0;
}

Result<void> BufferedWriter::wait_writable(Deadline deadline) {
  if (end_ < capacity_) return {};
  return sink_.wait_writable(deadline);
}

weft::detail::DescriptorHandle BufferedWriter::descriptor() const noexcept {
  return weft::detail::StreamAccess::handle(sink_);
}

}  // namespace weft::io
