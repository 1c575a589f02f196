// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/deadline.hpp>
#include <weft/io/buffered_writer.hpp>
#include <weft/io/reader.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weft::io {

/// Options for BufferedReader::read_line().
struct LineOptions {
  /// The size limit of a line in bytes, without its end. A longer line is Errc::message_too_large.
  std::size_t size_max = std::size_t{64} * 1024;
  /// At the end of the file, bytes without a line end are the last line. Otherwise they are
  /// Errc::malformed_message: a peer that was cut off must not look like one that has finished.
  bool end_optional = false;
};

/// Reads lines, delimited pieces, and pieces of a known size from another reader, through a buffer.
///
///     weft::io::BufferedReader reader(stream);
///     while (auto line = reader.read_line()) handle(*line);
///
/// Views: a returned view points into the buffer. It is valid until the next call that is not const.
///
/// No byte is lost: bytes leave the buffer only when a call returns them. After an error (a limit, a timeout,
/// a cancellation) the bytes received so far are still in the buffer. The call can be repeated, or another
/// call used. read_some() returns buffered bytes first.
///
/// Limits: a limit is an error, never a truncation. The default limit of a line is 64 KiB.
///
/// Memory: an empty buffer holds no memory while a call waits. The buffer grows up to the limit of a call,
/// and is freed when the next call finds it empty. Growing may throw std::bad_alloc; no byte is lost then.
///
/// Suspension: a call suspends only if the buffer does not have the bytes that it needs. Errors: those of the
/// source, and Errc::end_of_file when no bytes are left.
///
/// Thread safety: one fiber at a time. The source must outlive the reader. No other code may read from the
/// source meanwhile.
class BufferedReader final : public Reader {
 public:
  /// The number of bytes that one read asks for.
  static constexpr std::size_t kCapacity = std::size_t{8} * 1024;

  /// A `capacity` of 0 counts as 1.
  explicit BufferedReader(Reader& source, std::size_t capacity = kCapacity) noexcept
      : source_(source), chunk_(capacity == 0 ? 1 : capacity) {}
  /// The same, and flushes `answers` whenever it has to read from the source, within the deadline of the
  /// call. An error of that is the call's; then no byte was read. A select does not flush. `answers` must
  /// outlive the reader.
  BufferedReader(Reader& source, BufferedWriter& answers, std::size_t capacity = kCapacity) noexcept
      : BufferedReader(source, capacity) {
    answers_ = &answers;
  }
  BufferedReader(const BufferedReader&) = delete;
  BufferedReader& operator=(const BufferedReader&) = delete;

  /// Returns the next line, without its end ("\n" or "\r\n"). Errc::message_too_large and
  /// Errc::malformed_message: see LineOptions.
  Result<std::string_view> read_line(const LineOptions& options = {}) {
    return read_line_until(Deadline::never(), options);
  }
  Result<std::string_view> read_line_until(Deadline deadline, const LineOptions& options = {});

  /// Returns the bytes before the next `delimiter`, without the delimiter. Errors: Errc::message_too_large if
  /// they are more than `size_max`; Errc::malformed_message if the end of the file comes first; EINVAL if the
  /// delimiter is empty.
  Result<std::string_view> read_delimited(std::string_view delimiter, std::size_t size_max) {
    return read_delimited_until(delimiter, size_max, Deadline::never());
  }
  Result<std::string_view> read_delimited_until(std::string_view delimiter, std::size_t size_max,
                                                Deadline deadline);

  /// Returns the next `size` bytes and leaves them in the buffer; consume() removes them. Errors:
  /// Errc::end_of_file if the end of the file comes before the first byte, Errc::malformed_message if it
  /// comes before the last.
  Result<std::string_view> peek(std::size_t size) { return peek_until(size, Deadline::never()); }
  Result<std::string_view> peek_until(std::size_t size, Deadline deadline);
  /// The same, and removes the bytes from the buffer.
  Result<std::string_view> read_exactly(std::size_t size) {
    return read_exactly_until(size, Deadline::never());
  }
  Result<std::string_view> read_exactly_until(std::size_t size, Deadline deadline);

  /// Returns all bytes until the end of the file. Errc::message_too_large if they are more than `size_max`.
  Result<std::string> read_all(std::size_t size_max) { return read_all_until(size_max, Deadline::never()); }
  Result<std::string> read_all_until(std::size_t size_max, Deadline deadline);

  /// The bytes in the buffer. Does not suspend.
  std::string_view buffer() const noexcept { return {data_.get() + begin_, held()}; }
  /// Removes the first `size` bytes from the buffer. BUG if the buffer has fewer.
  void consume(std::size_t size);

  using Reader::read_some_until;
  Result<std::size_t> read_some_until(MutableBuffer buffer, Deadline deadline) override;
  Result<void> wait_readable(Deadline deadline = Deadline::never()) override;
  /// The size of buffer(), and what the source has buffered itself.
  std::size_t buffered() const noexcept override { return held() + source_.buffered(); }

 private:
  class Chunk;

  std::size_t held() const noexcept { return end_ - begin_; }
  Result<std::size_t> find(std::string_view delimiter, std::size_t size_max, Deadline deadline,
                           bool is_line_end);
  Result<void> flush_answers(Deadline deadline);
  Result<void> read_more(Deadline deadline);
  void make_room();
  void free_memory() noexcept;
  std::string_view take(std::size_t size, std::size_t skipped) noexcept;
  weft::detail::DescriptorHandle descriptor() const noexcept override;

  Reader& source_;
  const std::size_t chunk_;
  BufferedWriter* answers_ = nullptr;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weft::io
