// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/io/reader.hpp>
#include <weft/io/writer.hpp>
#include <weft/result.hpp>

namespace weft::io {

struct Pipe;

/// Makes a pipe: bytes that are written to one end are read from the other, by this process or by one that
/// inherits an end. Does not suspend. Errors: EMFILE, ENFILE.
///
///     auto pipe = weft::io::make_pipe().value();
///     auto sent = weft::spawn([out = std::move(pipe.writer)]() mutable { return out.write_all("hello"); });
///     char text[5];
///     pipe.reader.read_exact(text).value();
Result<Pipe> make_pipe();

/// The reading end of a pipe.
///
/// Suspension, errors, deadlines: like net::StreamSocket. Errc::end_of_file when every writing end is closed
/// and everything was read.
///
/// Thread safety: several fibers, of any contexts, may read at once; each read returns a different piece.
/// close() may be called meanwhile: the calls of other fibers fail with Errc::closed. Moving and destroying
/// require exclusive access. An end must be used in a fiber; it may be destroyed anywhere.
class PipeReader final : public Reader {
 public:
  /// An end without a pipe: every call fails with Errc::closed.
  PipeReader() noexcept = default;
  PipeReader(PipeReader&& other) noexcept : handle_(other.handle_.take()) {}
  PipeReader& operator=(PipeReader&& other) noexcept;
  /// Closes the end.
  ~PipeReader() override;

  using Reader::read_some;
  Result<std::size_t> read_some_until(MutableBuffer buffer, Deadline deadline) override;
  Result<std::size_t> read_some_until(std::span<const std::span<std::byte>> buffers,
                                      Deadline deadline) override;
  Result<std::size_t> read_some_until(BufferSource& source, Deadline deadline) override;
  Result<void> wait_readable(Deadline deadline = Deadline::never()) override;

  /// Closes the end; writes to the pipe fail with EPIPE from then on, unless another process has a reading
  /// end. Suspends until the calls of other fibers have returned. Errc::closed if it was closed before.
  Result<void> close();
  bool is_open() const noexcept;
  /// The file descriptor's number, or -1 if closed or in a simulation. The end still owns it.
  int native_handle() const noexcept;

 private:
  friend struct weft::detail::StreamAccess;
  explicit PipeReader(weft::detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  weft::detail::DescriptorHandle descriptor() const noexcept override { return handle_; }

  weft::detail::DescriptorHandle handle_;
};

/// The writing end of a pipe.
///
/// Suspension, errors, deadlines: like net::StreamSocket. EPIPE when every reading end is closed; no SIGPIPE
/// is raised.
///
/// Thread safety: several fibers, of any contexts, may write at once; the bytes of one call are written
/// without bytes of other calls between them. close() may be called meanwhile: the calls of other fibers fail
/// with Errc::closed. Moving and destroying require exclusive access. An end must be used in a fiber; it may
/// be destroyed anywhere.
class PipeWriter final : public Writer {
 public:
  /// An end without a pipe: every call fails with Errc::closed.
  PipeWriter() noexcept = default;
  PipeWriter(PipeWriter&& other) noexcept : handle_(other.handle_.take()) {}
  PipeWriter& operator=(PipeWriter&& other) noexcept;
  /// Closes the end.
  ~PipeWriter() override;

  Result<std::size_t> write_some_until(ConstBuffer data, Deadline deadline) override;
  Progress write_all_until(ConstBuffer data, Deadline deadline) override;
  Progress write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline) override;
  Result<void> wait_writable(Deadline deadline = Deadline::never()) override;

  /// Closes the end; a reader gets Errc::end_of_file after the bytes that were written, unless another
  /// process has a writing end. Suspends until the calls of other fibers have returned. Errc::closed if it
  /// was closed before.
  Result<void> close();
  bool is_open() const noexcept;
  /// The file descriptor's number, or -1 if closed or in a simulation. The end still owns it.
  int native_handle() const noexcept;

 private:
  friend struct weft::detail::StreamAccess;
  explicit PipeWriter(weft::detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  weft::detail::DescriptorHandle descriptor() const noexcept override { return handle_; }

  weft::detail::DescriptorHandle handle_;
};

/// The two ends of a pipe, made by make_pipe().
struct Pipe {
  PipeReader reader;
  PipeWriter writer;
};

}  // namespace weft::io
