// SPDX-License-Identifier: Apache-2.0
#include <weft/io/buffered_reader.hpp>

#include "base/panic.hpp"
#include "io/own_type_check.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <cstring>

namespace weft::io {
namespace {

// How many of the delimiter's first bytes are the last that have come: the rest may follow.
std::size_t begun_at_end(std::string_view text, std::string_view delimiter) noexcept {
  std::size_t size = std::min(delimiter.size() - 1, text.size());
  while (!text.ends_with(delimiter.substr(0, size))) --size;
  return size;
}

}  // namespace

/// The buffer's first bytes: it is there while there may be something to read, and not while a call waits.
class BufferedReader::Chunk final : public BufferSource {
 public:
  explicit Chunk(BufferedReader& reader) noexcept : reader_(reader) {}

  std::span<std::byte> take() override {
    if (reader_.capacity_ != reader_.chunk_) {  // none, or one that has grown
      reader_.free_memory();
      reader_.data_ = std::make_unique_for_overwrite<char[]>(reader_.chunk_);
      reader_.capacity_ = reader_.chunk_;
    }
    return std::as_writable_bytes(std::span(reader_.data_.get(), reader_.capacity_));
  }
  void give_back() noexcept override { reader_.free_memory(); }

 private:
  BufferedReader& reader_;
};

Result<void> BufferedReader::flush_answers(Deadline deadline) {
  return answers_ == nullptr ? Result<void>() : answers_->flush_until(deadline);
}

// More bytes behind those that are there. REQUIRES: nothing but the source's own bytes is waited for.
Result<void> BufferedReader::read_more(Deadline deadline) {
  if (const Result<void> flushed = flush_answers(deadline); !flushed) return flushed;
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
  end_ += checked_read(*n, capacity_ - end_);
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

// What waits without bytes holds none.
void BufferedReader::free_memory() noexcept {
  data_.reset();
  capacity_ = begin_ = end_ = 0;
}

// How many bytes come before the delimiter, which is in the buffer as well. Where a line ends, '\r' may come
// between them, and does not count.
Result<std::size_t> BufferedReader::find(std::string_view delimiter, std::size_t size_max, Deadline deadline,
                                         bool is_line_end) {
  const auto counted = [&](std::size_t size) {
    return is_line_end && size > 0 && buffer()[size - 1] == '\r' ? size - 1 : size;
  };
  bool late = false;
  for (std::size_t searched = 0;;) {
    const std::size_t at = buffer().find(delimiter, searched);
    if (at != std::string_view::npos) {
      if (counted(at) > size_max) return Errc::message_too_large;
      return at;
    }
    searched = held() - begun_at_end(buffer(), delimiter);
    if (counted(searched) > size_max) return Errc::message_too_large;
    if (late) return Errc::timed_out;  // a peer that sends and sends
    if (const Result<void> more = read_more(deadline); !more) return more.error();
    late = deadline.passed();
  }
}

Result<std::string_view> BufferedReader::read_line_until(Deadline deadline, const LineOptions& options) {
  const Result<std::size_t> found = find("\n", options.size_max, deadline, true);
  if (found) {
    const bool has_cr = *found > 0 && buffer()[*found - 1] == '\r';
    return has_cr ? take(*found - 1, 2) : take(*found, 1);
  }
  if (found.error() != make_error_code(Errc::end_of_file) || held() == 0) return found.error();
  if (!options.end_optional) return Errc::malformed_message;
  if (held() > options.size_max) return Errc::message_too_large;  // '\r' is of the line now
  return take(held(), 0);
}

Result<std::string_view> BufferedReader::read_delimited_until(std::string_view delimiter,
                                                              std::size_t size_max, Deadline deadline) {
  if (delimiter.empty()) return sys::error_of(EINVAL);
  const Result<std::size_t> size = find(delimiter, size_max, deadline, false);
  if (size) return take(*size, delimiter.size());
  if (size.error() == make_error_code(Errc::end_of_file) && held() > 0) return Errc::malformed_message;
  return size.error();
}

Result<std::string_view> BufferedReader::peek_until(std::size_t size, Deadline deadline) {
  while (held() < size) {
    if (const Result<void> more = read_more(deadline); !more) {
      const bool cut_off = more.error() == make_error_code(Errc::end_of_file) && held() > 0;
      return cut_off ? make_error_code(Errc::malformed_message) : more.error();
    }
    if (held() < size && deadline.passed()) return Errc::timed_out;
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
    if (held() > size_max) return Errc::message_too_large;
    const Result<void> more = read_more(deadline);
    if (more) {
      if (deadline.passed()) return Errc::timed_out;
      continue;
    }
    if (more.error() != make_error_code(Errc::end_of_file)) return more.error();
    std::string all(buffer());
    consume(held());
    return all;
  }
}

void BufferedReader::consume(std::size_t size) {
  WEFT_ASSERT(size <= held(), "more bytes are consumed than are buffered", WEFT_VALUE(size),
              PanicValue{"buffered", held()});
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
  if (held() == 0) {
    if (const Result<void> flushed = flush_answers(deadline); !flushed) return flushed.error();
    free_memory();
    return source_.read_some_until(buffer_of_caller, deadline);
  }
  const std::size_t size = std::min(held(), buffer_of_caller.size());
  std::memcpy(buffer_of_caller.data(), data_.get() + begin_, size);
  begin_ += size;
  return size;
}

Result<void> BufferedReader::wait_readable(Deadline deadline) {
  if (held() > 0) return {};
  if (const Result<void> flushed = flush_answers(deadline); !flushed) return flushed;
  free_memory();
  return source_.wait_readable(deadline);
}

weft::detail::DescriptorHandle BufferedReader::descriptor() const noexcept {
  return weft::detail::StreamAccess::handle(source_);
}

}  // namespace weft::io
