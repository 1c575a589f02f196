// SPDX-License-Identifier: Apache-2.0
#include "io/splicing.hpp"

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/write_batch/write_turn.hpp"
#include "io/network_here.hpp"
#include "sys/errors.hpp"
#include "sys/splice.hpp"

#include <algorithm>
#include <chrono>

namespace weft::io {
namespace {

/// For so long the pipe waits with its source. A new one costs three system calls.
constexpr std::chrono::milliseconds kPatience{100};

/// Between the operation's descriptor and another file.
class Splice final : public Operation {
 public:
  Splice(Direction of, int other, std::size_t size) noexcept : Operation(of), other_(other), size_(size) {}

  Result<void> attempt(Descriptor& descriptor) override {
    const bool reads = direction == Direction::kRead;
    const Result<std::size_t> n =
        reads ? sys::splice(descriptor.fd, other_, size_) : sys::splice(other_, descriptor.fd, size_);
    if (!n) return n.error();
    moved = *n;
    return {};
  }

  std::size_t moved = 0;

 private:
  const int other_;
  const std::size_t size_;
};

}  // namespace

bool can_splice(DescriptorHandle handle) noexcept {
  if (this_runner() == nullptr || this_runner()->network != nullptr) return false;
  const DescriptorUse descriptor(handle);
  return descriptor && descriptor->kind != DescriptorKind::kSimulated &&
         descriptor->kind != DescriptorKind::kListener;
}

bool Splicing::possible() const noexcept { return can_splice(from_) && can_splice(to_); }

Progress Splicing::run(std::uint64_t size_max, Deadline deadline) {
  require_fiber("copy()");
  for (std::size_t moved = 0; moved < size_max;) {
    const Result<std::size_t> n =
        fill(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyPieceMax, size_max - moved)), deadline);
    if (!n) return {moved, n.error()};
    if (*n == 0) return {moved, {}};
    const Progress written = drain(*n, deadline);
    moved += written.bytes();
    if (!written) return {moved, written.error()};
    if (moved < size_max && deadline.passed()) return {moved, Errc::timed_out};
  }
  return {static_cast<std::size_t>(size_max), {}};
}

// 0: the end of the file. A source that waits for long holds no pipe.
Result<std::size_t> Splicing::fill(std::size_t size, Deadline deadline) {
  if (pipe_.read_end) {
    const Deadline patience = std::min(deadline, Deadline::after_coarsely(kPatience));
    const Result<std::size_t> n = splice_in(size, patience);
    const bool waits = !n && n.error() == make_error_code(Errc::timed_out) && !deadline.passed();
    if (!waits) return n;
    pipe_ = {};
  }
  if (const Result<void> ready = Files::wait_ready(from_, Direction::kRead, deadline); !ready)
    return ready.error();
  Result<sys::Pipe> pipe = sys::create_pipe();
  if (!pipe) return pipe.error();
  pipe_ = std::move(*pipe);
  return splice_in(size, deadline);
}

Result<std::size_t> Splicing::splice_in(std::size_t size, Deadline deadline) {
  Splice splice(Direction::kRead, pipe_.write_end.get(), size);
  if (const Result<void> done = Files::perform(from_, splice, deadline); !done) return done.error();
  return splice.moved;
}

// The pipe is empty afterwards, unless it failed.
Progress Splicing::drain(std::size_t size, Deadline deadline) {
  const WriteTurn turn(to_, deadline);
  if (!turn) return {0, turn.error()};
  for (std::size_t moved = 0; moved < size;) {
    Splice splice(Direction::kWrite, pipe_.read_end.get(), size - moved);
    if (const Result<void> done = Files::perform(to_, splice, deadline); !done) return {moved, done.error()};
    moved += splice.moved;
    if (moved < size && deadline.passed()) return {moved, Errc::timed_out};
  }
  return {size, {}};
}

}  // namespace weft::io
