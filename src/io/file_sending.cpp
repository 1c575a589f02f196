// SPDX-License-Identifier: Apache-2.0
#include "io/file_sending.hpp"

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/write_batch/write_turn.hpp"
#include "io/splicing.hpp"
#include "sys/errors.hpp"
#include "sys/file.hpp"
#include "sys/splice.hpp"

#include <algorithm>

namespace weft::io {
namespace {

class SendFile final : public Operation {
 public:
  SendFile(int from, std::uint64_t offset, std::size_t size) noexcept
      : Operation(Direction::kWrite), from_(from), offset_(offset), size_(size) {}

  Result<void> attempt(Descriptor& descriptor) override {
    const Result<std::size_t> n = sys::send_file(from_, descriptor.fd, offset_, size_);
    if (!n) return n.error();
    moved = *n;
    return {};
  }

  std::size_t moved = 0;

 private:
  const int from_;
  const std::uint64_t offset_;
  const std::size_t size_;
};

/// Not of this socket, nor of this moment, but of this kind of file.
bool cannot_send(std::error_code error) noexcept {
  return sys::is_errno(error, EINVAL) || sys::is_errno(error, ENOSYS) || sys::is_errno(error, EOPNOTSUPP) ||
         sys::is_errno(error, ESPIPE);
}

}  // namespace

bool FileSending::possible() const noexcept { return can_splice(to_); }

// A piece at a time: reading, in between, and a close() that waits would else wait for each other.
FileSending::Next FileSending::send_piece(std::size_t size, Deadline deadline, Progress& progress) {
  const int fd = from_.begin_sending();
  if (fd < 0) return progress = Progress(0, Errc::closed), Next::kEnd;
  const Next next = send(fd, std::min(size, kPieceMax), deadline, progress);
  from_.end_sending();
  return next;
}

FileSending::Next FileSending::send(int fd, std::size_t size, Deadline deadline, Progress& progress) {
  const std::uint64_t begin = from_.sending_position();
  progress = Progress(0, {});
  if (!sys::is_in_memory(fd, begin, size)) return Next::kCopy;
  const WriteTurn turn(to_, deadline);
  if (!turn) return progress = Progress(0, turn.error()), Next::kEnd;
  for (std::size_t moved = 0; moved < size;) {
    SendFile send(fd, begin + moved, size - moved);
    const Result<void> done = Files::perform(to_, send, deadline);
    if (!done && moved == 0 && cannot_send(done.error())) return Next::kRefused;
    if (!done) return progress = Progress(moved, done.error()), Next::kEnd;
    if (send.moved == 0) return Next::kEnd;
    moved += send.moved;
    from_.move_sending_position(begin + moved);
    progress = Progress(moved, {});
    if (moved < size && deadline.passed()) return progress = Progress(moved, Errc::timed_out), Next::kEnd;
  }
  return Next::kMore;
}

}  // namespace weft::io
