// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/deadline.hpp>
#include <weft/io/writer.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace weft::io {

/// Collects small writes, so that they leave together: by flush(), when the buffer is full, or before a
/// BufferedReader that was made with this writer has to wait.
///
///     weft::io::BufferedWriter answers(stream);
///     weft::io::BufferedReader requests(stream, answers);     // flushes the answers before it waits
///     while (auto line = requests.read_line()) answers.write_all(answer_to(*line)).value();
///     answers.flush().value();
///
/// A client that sends 100 requests at once gets 100 answers by one system call; one that waits for each
/// answer gets it at once.
///
/// A byte that was written is in the buffer or in the sink. After an error (a timeout, a cancellation, a
/// peer that is gone) the bytes that the sink has not taken are still in the buffer, and the call can be
/// repeated. The destructor drops what is in the buffer: it could not tell of an error. Call flush().
///
/// Memory: none while the buffer is empty. Filling it may throw std::bad_alloc; nothing was written then.
///
/// Suspension: a write suspends only if the buffer is full. Errors: those of the sink; they may come with a
/// later write than the bytes that they are about. Thread safety: one fiber at a time. The sink must outlive
/// the writer. No other code may write to the sink while the buffer is not empty.
class BufferedWriter final : public Writer {
 public:
  static constexpr std::size_t kCapacity = std::size_t{8} * 1024;

  /// `capacity`: how many bytes the buffer takes; 0 counts as 1.
  explicit BufferedWriter(Writer& sink, std::size_t capacity = kCapacity) noexcept
      : sink_(sink), capacity_(capacity == 0 ? 1 : capacity) {}
  BufferedWriter(const BufferedWriter&) = delete;
  BufferedWriter& operator=(const BufferedWriter&) = delete;

  /// Puts `data` into the buffer. If there is no room for all of it, the buffer is flushed first; data that
  /// is larger than the buffer goes to the sink directly.
  Result<std::size_t> write_some_until(ConstBuffer data, Deadline deadline) override;

  /// Writes the bytes in the buffer to the sink. May suspend. Success at once if there are none.
  Result<void> flush() { return flush_until(Deadline::never()); }
  Result<void> flush_until(Deadline deadline);

  /// The bytes in the buffer.
  std::string_view buffer() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
  /// Drops the bytes in the buffer.
  void discard() noexcept;

  Result<void> wait_writable(Deadline deadline = Deadline::never()) override;

 private:
  weft::detail::DescriptorHandle descriptor() const noexcept override;

  Writer& sink_;
  const std::size_t capacity_;
  std::unique_ptr<char[]> data_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weft::io
