// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/deadline.hpp>
#include <weft/io/reader.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weft::io {

/// How BufferedReader::read_line() reads.
struct LineOptions {
  /// Bytes of a line, without its end. A longer one is Errc::message_too_large.
  std::size_t size_max = std::size_t{64} * 1024;
  /// At the end of the file, bytes without a line end are the last line. Otherwise they are
  /// Errc::malformed_message: a peer that was cut off must not look like one that has finished.
  bool end_optional = false;
};

/// Reads lines, delimited pieces and pieces of a known size from another reader, through a buffer.
///
///     weft::io::BufferedReader reader(stream);
///     while (auto line = reader.read_line()) handle(*line);
///
/// Views: a returned view points into the buffer. It is valid until the next call that is not const.
///
/// Nothing is lost: bytes leave the buffer only when a call returns them. After an error, which may be a
/// limit, a timeout or a cancellation, the bytes that have come so far are still there; the call can be
/// repeated, or another one used. read_some() returns buffered bytes first.
///
/// Limits: a limit is an error, never a truncation. The default limits are 64 KiB a line.
///
/// Memory: an empty buffer holds none while a call waits. A buffer grows as far as a call's limit, and is
/// freed when the next call finds it empty. Growing may throw std::bad_alloc; nothing is lost then.
///
/// Suspension: a call suspends only if the buffer does not have what it wants. Errors: those of the source,
/// and Errc::end_of_file when nothing is left.
///
/// Thread safety: one fiber at a time. The source must live longer, and is read by nobody else meanwhile.
class BufferedReader final : public Reader {
 public:
  /// How much is read at once, in bytes.
  static constexpr std::size_t kCapacity = std::size_t{8} * 1024;

  /// `capacity` of 0 is 1.
  explicit BufferedReader(Reader& source, std::size_t capacity = kCapacity) noexcept
      : source_(source), chunk_(capacity == 0 ? 1 : capacity) {}
  BufferedReader(const BufferedReader&) = delete;
  BufferedReader& operator=(const BufferedReader&) = delete;

  /// The next line, without its end: "\n" or "\r\n". Errc::message_too_large, Errc::malformed_message: see
  /// LineOptions.
  Result<std::string_view> read_line(const LineOptions& options = {}) {
    return read_line_until(Deadline::never(), options);
  }
  Result<std::string_view> read_line_until(Deadline deadline, const LineOptions& options = {});

  /// The bytes before the next `delimiter`, without it: at most `size_max`, Errc::message_too_large
  /// otherwise. Errc::malformed_message: the end of the file comes first. EINVAL: the delimiter is empty.
  Result<std::string_view> read_delimited(std::string_view delimiter, std::size_t size_max) {
    return read_delimited_until(delimiter, size_max, Deadline::never());
  }
  Result<std::string_view> read_delimited_until(std::string_view delimiter, std::size_t size_max,
                                                Deadline deadline);

  /// The next `size` bytes, which stay in the buffer: consume() takes them out. Errc::end_of_file,
  /// Errc::malformed_message: the end of the file comes before the first, or before the last of them.
  Result<std::string_view> peek(std::size_t size) { return peek_until(size, Deadline::never()); }
  Result<std::string_view> peek_until(std::size_t size, Deadline deadline);
  /// The same, taken out of the buffer.
  Result<std::string_view> read_exactly(std::size_t size) {
    return read_exactly_until(size, Deadline::never());
  }
  Result<std::string_view> read_exactly_until(std::size_t size, Deadline deadline);

  /// All bytes until the end of the file: at most `size_max`, Errc::message_too_large otherwise.
  Result<std::string> read_all(std::size_t size_max) { return read_all_until(size_max, Deadline::never()); }
  Result<std::string> read_all_until(std::size_t size_max, Deadline deadline);

  /// What is in the buffer. Does not suspend.
  std::string_view buffer() const noexcept { return {data_.get() + begin_, held()}; }
  /// Takes the first `size` bytes out of the buffer. BUG if there are not as many.
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
  Result<void> read_more(Deadline deadline);
  void make_room();
  void free_memory() noexcept;
  std::string_view take(std::size_t size, std::size_t skipped) noexcept;
  weft::detail::DescriptorHandle descriptor() const noexcept override;

  Reader& source_;
  const std::size_t chunk_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weft::io
