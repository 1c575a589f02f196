// SPDX-License-Identifier: Apache-2.0
#include <weft/io/buffered_reader.hpp>

#include "base/panic.hpp"
#include "base/saturating.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <cstring>

namespace weft::io {

/// The buffer's first bytes: it is there while there may be something to read, and not while a call waits.
class BufferedReader::Chunk final : public BufferSource {
 public:
  explicit Chunk(BufferedReader& reader) noexcept : reader_(reader) {}

  std::span<std::byte> take() override {
    if (reader_.capacity_ < reader_.chunk_) {
      reader_.data_ = std::make_unique_for_overwrite<char[]>(reader_.chunk_);
      reader_.capacity_ = reader_.chunk_;
    }
    return std::as_writable_bytes(std::span(reader_.data_.get(), reader_.capacity_));
  }
  void give_back() noexcept override {
    reader_.data_.reset();
    reader_.capacity_ = 0;
  }

 private:
  BufferedReader& reader_;
};

// More bytes behind those that are there. REQUIRES: nothing but the source's own bytes is waited for.
Result<void> BufferedReader::read_more(Deadline deadline) {
  const auto read = [&]() -> Result<std::size_t> {
    if (begin_ == end_) {
      begin_ = end_ = 0;
      Chunk chunk(*this);
      return source_.read_some_until(chunk, deadline);
    }
    make_room();
    return source_.read_some_until(MutableBuffer(data_.get() + end_, capacity_ - end_), deadline);
  };
  const Result<std::size_t> n = read();
  if (!n) return n.error();
  end_ += *n;
  return {};
}

// Room for at least a quarter of a chunk behind the bytes: what is read at once must not become tiny.
void BufferedReader::make_room() {
  const std::size_t size = end_ - begin_;
  const std::size_t wanted = std::max<std::size_t>(chunk_ / 4, 1);
  if (capacity_ - end_ >= wanted) return;
  if (begin_ >= size && capacity_ - size >= wanted) {  // each byte is moved once for each byte that was read
    std::memcpy(data_.get(), data_.get() + begin_, size);
  } else {
    const std::size_t capacity = std::max(capacity_ * 2, size + chunk_);
    auto data = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(data.get(), data_.get() + begin_, size);
    data_ = std::move(data);
    capacity_ = capacity;
  }
  begin_ = 0;
  end_ = size;
}

// How many bytes come before the delimiter, which is in the buffer as well.
Result<std::size_t> BufferedReader::find(std::string_view delimiter, std::size_t size_max,
                                         Deadline deadline) {
  for (std::size_t searched = 0;;) {
    const std::size_t at = buffer().find(delimiter, searched);
    if (at != std::string_view::npos) {
      if (at > size_max) return Errc::message_too_large;
      return at;
    }
    // The delimiter's first bytes may be the last that have come.
    const std::size_t kept = std::min(delimiter.size() - 1, buffered());
    searched = buffered() - kept;
    if (searched > size_max) return Errc::message_too_large;
    if (searched > 0 && deadline.passed()) return Errc::timed_out;  // a peer that sends and sends
    if (const Result<void> more = read_more(deadline); !more) return more.error();
  }
}

Result<std::string_view> BufferedReader::read_line_until(Deadline deadline, const LineOptions& options) {
  // One more for the '\r', which is no part of the line.
  const std::size_t size_max = options.size_max + (options.size_max == SIZE_MAX ? 0 : 1);
  const Result<std::size_t> found = find("\n", size_max, deadline);
  std::size_t size = 0;
  std::size_t skipped = 1;
  if (found) {
    size = *found;
  } else if (found.error() == make_error_code(Errc::end_of_file) && buffered() > 0) {
    if (!options.end_optional) return Errc::malformed_message;
    size = buffered();
    skipped = 0;
  } else {
    return found.error();
  }
  if (size > 0 && skipped > 0 && buffer()[size - 1] == '\r') {
    --size;
    ++skipped;
  }
  if (size > options.size_max) return Errc::message_too_large;
  return take(size, skipped);
}

Result<std::string_view> BufferedReader::read_delimited_until(std::string_view delimiter,
                                                              std::size_t size_max, Deadline deadline) {
  if (delimiter.empty()) return sys::error_of(EINVAL);
  const Result<std::size_t> size = find(delimiter, size_max, deadline);
  if (size) return take(*size, delimiter.size());
  if (size.error() == make_error_code(Errc::end_of_file) && buffered() > 0) return Errc::malformed_message;
  return size.error();
}

Result<std::string_view> BufferedReader::peek_until(std::size_t size, Deadline deadline) {
  while (buffered() < size) {
    if (const Result<void> more = read_more(deadline); !more) {
      const bool cut_off = more.error() == make_error_code(Errc::end_of_file) && buffered() > 0;
      return cut_off ? make_error_code(Errc::malformed_message) : more.error();
    }
    if (buffered() < size && deadline.passed()) return Errc::timed_out;
  }
  return buffer().substr(0, size);
}

Result<std::string_view> BufferedReader::read_exactly_until(std::size_t size, Deadline deadline) {
  const Result<std::string_view> bytes = peek_until(size, deadline);
  if (!bytes) return bytes;
  return take(size, 0);
}

Result<std::string> BufferedReader::read_all_until(std::size_t size_max, Deadline deadline) {
  for (;;) {
    if (buffered() > size_max) return Errc::message_too_large;
    const Result<void> more = read_more(deadline);
    if (more) {
      if (deadline.passed()) return Errc::timed_out;
      continue;
    }
    if (more.error() != make_error_code(Errc::end_of_file)) return more.error();
    std::string all(buffer());
    consume(buffered());
    return all;
  }
}

void BufferedReader::consume(std::size_t size) {
  WEFT_ASSERT(size <= buffered(), "more bytes are consumed than are buffered", WEFT_VALUE(size),
              PanicValue{"buffered", buffered()});
  begin_ += size;
}

// The view stays valid: the memory is given back, or moved, by the next call only.
std::string_view BufferedReader::take(std::size_t size, std::size_t skipped) noexcept {
  const std::string_view taken = buffer().substr(0, size);
  begin_ += size + skipped;
  return taken;
}

Result<std::size_t> BufferedReader::read_some_until(MutableBuffer buffer_of_caller, Deadline deadline) {
  if (buffer_of_caller.empty()) return std::size_t{0};
  if (buffered() == 0) return source_.read_some_until(buffer_of_caller, deadline);
  const std::size_t size = std::min(buffered(), buffer_of_caller.size());
  std::memcpy(buffer_of_caller.data(), data_.get() + begin_, size);
  begin_ += size;
  return size;
}

Result<void> BufferedReader::wait_readable(Deadline deadline) {
  if (buffered() > 0) return {};
  return source_.wait_readable(deadline);
}

weft::detail::DescriptorHandle BufferedReader::descriptor() const noexcept {
  return weft::detail::StreamAccess::handle(source_);
}

}  // namespace weft::io
