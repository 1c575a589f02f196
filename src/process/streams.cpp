// SPDX-License-Identifier: Apache-2.0
#include "process/streams.hpp"

#include "event_loop/operation/files.hpp"
#include "sys/errors.hpp"
#include "sys/io.hpp"
#include "sys/pipe.hpp"

#include <weft/detail/stream_access.hpp>

#include <algorithm>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace weft::process {
namespace {

using weft::detail::failure_about;
using weft::detail::StreamAccess;

const char* name_of(int target) noexcept {
  return target == STDIN_FILENO    ? "standard input"
         : target == STDOUT_FILENO ? "standard output"
                                   : "standard error";
}

/// A pipe, whose end `theirs` waits as programs expect: each end is an open file of its own.
Result<sys::Pipe> pipe_with_blocking(sys::Fd sys::Pipe::*theirs) noexcept {
  Result<sys::Pipe> pipe = sys::create_pipe();
  if (!pipe) return pipe;
  const sys::Fd& end = (*pipe).*theirs;
  if (const Result<void> set = sys::set_nonblocking(end.get(), false); !set) return set.error();
  return pipe;
}

/// This program's end of a pipe.
template <class End>
Result<void> adopt(sys::Fd& fd, End& own) noexcept {
  const Result<DescriptorHandle> handle = Files::adopt(fd, DescriptorKind::kOther);
  if (!handle) return handle.error();
  own = StreamAccess::make<End>(*handle);
  return {};
}

}  // namespace

void Streams::give(sys::Fd fd, int target) {
  descriptors_.push_back({fd.get(), target});
  open_.push_back(std::move(fd));
}

Result<void> Streams::give_null(int target) {
  Result<sys::Fd> null = sys::open("/dev/null", O_RDWR);
  if (!null) return failure_about(null.error(), "opening", "/dev/null");
  give(std::move(*null), target);
  return {};
}

Result<void> Streams::pass(int number, int as) {
  const bool taken = std::any_of(descriptors_.begin(), descriptors_.end(),
                                 [as](const sys::ChildDescriptor& other) { return other.target == as; });
  if (taken) return failure_about(sys::error_of(EINVAL), "passing two descriptors as", std::to_string(as));
  if (number < 0 || as < 0)
    return failure_about(sys::error_of(EBADF), "passing a descriptor as", std::to_string(as));
  descriptors_.push_back({number, as});
  return {};
}

Result<void> Streams::open_input(Stdio stream) {
  using Kind = Stdio::Kind;
  if (stream.kind_ == Kind::kNull) return give_null(STDIN_FILENO);
  if (stream.kind_ == Kind::kDescriptor) return pass(stream.number_, STDIN_FILENO);
  if (stream.kind_ == Kind::kToOutput)
    return failure_about(sys::error_of(EINVAL), "reading from the output as", name_of(STDIN_FILENO));
  if (stream.kind_ != Kind::kPipe) return {};
  Result<sys::Pipe> pipe = pipe_with_blocking(&sys::Pipe::read_end);
  if (!pipe) return failure_about(pipe.error(), "making a pipe for", name_of(STDIN_FILENO));
  give(std::move(pipe->read_end), STDIN_FILENO);
  return adopt(pipe->write_end, input);
}

Result<void> Streams::open_output(Stdio stream) {
  if (stream.kind_ == Stdio::Kind::kToOutput) return {};  // it is itself
  return open_writing(stream, STDOUT_FILENO, output);
}

Result<void> Streams::open_error(Stdio stream) {
  if (stream.kind_ != Stdio::Kind::kToOutput) return open_writing(stream, STDERR_FILENO, error);
  const auto same = std::find_if(descriptors_.begin(), descriptors_.end(),
                                 [](const auto& other) { return other.target == STDOUT_FILENO; });
  return pass(same != descriptors_.end() ? same->source : STDOUT_FILENO, STDERR_FILENO);
}

Result<void> Streams::open_writing(Stdio stream, int target, io::PipeReader& own) {
  using Kind = Stdio::Kind;
  if (stream.kind_ == Kind::kNull) return give_null(target);
  if (stream.kind_ == Kind::kDescriptor) return pass(stream.number_, target);
  if (stream.kind_ != Kind::kPipe) return {};
  Result<sys::Pipe> pipe = pipe_with_blocking(&sys::Pipe::write_end);
  if (!pipe) return failure_about(pipe.error(), "making a pipe for", name_of(target));
  give(std::move(pipe->write_end), target);
  return adopt(pipe->read_end, own);
}

}  // namespace weft::process
