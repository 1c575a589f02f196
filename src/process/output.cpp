// SPDX-License-Identifier: Apache-2.0
// Runs a program to its end: a fiber for each stream, so that neither side waits for the other with a full
// pipe.
#include "process/launch.hpp"
#include "sys/errors.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/process/command.hpp>
#include <weft/task_group.hpp>

#include <algorithm>

namespace weft::process {
namespace {

/// From a small output's size to as much as a pipe holds.
constexpr std::size_t kPieceSizeMin = 4 * 1024;
constexpr std::size_t kPieceSizeMax = 64 * 1024;

Result<void> feed(io::PipeWriter& pipe, ConstBuffer input) {
  const io::Progress written = pipe.write_all(input);
  pipe = {};
  // The program has ended, or reads no more: it has seen enough.
  if (written || sys::is_errno(written.error(), EPIPE)) return {};
  return written.error();
}

Result<void> collect(io::PipeReader& pipe, std::string& text, std::size_t size_max) {
  for (;;) {
    const std::size_t size = text.size();
    if (size > size_max) return Errc::message_too_large;
    const std::size_t room = size_max - size;
    const std::size_t piece = std::clamp(size, kPieceSizeMin, kPieceSizeMax);
    text.resize(size + (piece <= room ? piece : room + 1));  // one byte more says that it is too much
    const Result<std::size_t> read = pipe.read_some(MutableBuffer(text.data() + size, text.size() - size));
    text.resize(size + read.value_or(0));
    if (read) continue;
    return read.error() == Errc::end_of_file ? Result<void>() : Result<void>(read.error());
  }
}

/// Both ways at the same time, until the ends of the streams.
Result<void> exchange(Child& child, const OutputOptions& options, Output& collected) {
  TaskGroup<void> group;
  if (child.input().is_open()) group.spawn([&] { return feed(child.input(), options.input); });
  if (child.output().is_open())
    group.spawn([&] { return collect(child.output(), collected.output, options.size_max); });
  if (child.error().is_open())
    group.spawn([&] { return collect(child.error(), collected.error, options.size_max); });
  return group.wait();
}

}  // namespace

Result<Output> Command::output(const OutputOptions& options) const {
  const CancelScope scope(options.deadline);
  Launch launch(*this);
  StandardStreams standard = launch.standard_streams({Stdio::null(), Stdio::pipe(), Stdio::pipe()});
  if (!options.input.empty()) standard.input = Stdio::pipe();
  Result<Child> child = launch.start(standard, Deadline::never());
  if (!child) return child.failure();
  Output collected;
  Result<void> done = exchange(*child, options, collected);
  if (done) {
    const Result<ExitStatus> status = child->wait();
    if (status) {
      collected.status = *status;
      return collected;
    }
    done = status.failure();
  }
  [[maybe_unused]] const Result<ExitStatus> stopped = child->stop();
  if (done.error() == Errc::message_too_large)
    return weft::detail::failure_about(done.error(), "collecting the output of", program_);
  return done.failure();
}

}  // namespace weft::process
