// SPDX-License-Identifier: Apache-2.0
// https://man7.org/linux/man-pages/man7/io_uring.7.html
#include "sys/file_ring.hpp"

#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"

#include <algorithm>
#include <utility>

#if WEFT_HAVE_LIBURING
#include <liburing.h>
#include <new>
#include <sys/stat.h>
#endif

namespace weft::sys {

FileRing::FileRing(FileRing&&) noexcept = default;
FileRing& FileRing::operator=(FileRing&&) noexcept = default;
FileRing::~FileRing() = default;
FileRing::FileRing(std::unique_ptr<io_uring, Close> ring) noexcept : ring_(std::move(ring)) {}

#if WEFT_HAVE_LIBURING

namespace {

using Kind = FileRequest::Kind;

/// Each submit empties the queue of what is submitted; that of answers is larger, and what does not fit is
/// kept by the kernel.
constexpr unsigned kFileEntries = 8;
constexpr unsigned kAnswers = 1024;

/// As the ring of sends does: TSan does not learn of memory that liburing maps.
void file_rings_come_one_after_the_other() noexcept {
#if WEFT_TSAN
  static Atomic<int> rings{0};
  rings.fetch_add(1, acq_rel);
#endif
}

constexpr int kOpcodes[] = {IORING_OP_READV,    IORING_OP_WRITEV,  IORING_OP_FSYNC,
                            IORING_OP_OPENAT,   IORING_OP_STATX,   IORING_OP_RENAMEAT,
                            IORING_OP_UNLINKAT, IORING_OP_MKDIRAT, IORING_OP_ASYNC_CANCEL};

bool has_opcodes(io_uring& ring) noexcept {
  io_uring_probe* const probe = io_uring_get_probe_ring(&ring);
  if (probe == nullptr) return false;
  const bool all = std::all_of(std::begin(kOpcodes), std::end(kOpcodes),
                               [&](int opcode) { return io_uring_opcode_supported(probe, opcode) != 0; });
  io_uring_free_probe(probe);
  return all;
}

void prepare_path(io_uring_sqe& entry, const FileRequest& request) noexcept {
  const int flags = static_cast<int>(request.flags);
  switch (request.kind) {
    case Kind::kOpen:
      return io_uring_prep_openat(&entry, request.fd, request.path, flags | O_CLOEXEC, request.mode);
    case Kind::kStatus:
      return io_uring_prep_statx(&entry, request.fd, request.path, flags, STATX_BASIC_STATS, request.status);
    case Kind::kRename:
      return io_uring_prep_renameat(&entry, request.fd, request.path, request.other_fd, request.other_path,
                                    request.flags);
    case Kind::kRemove: return io_uring_prep_unlinkat(&entry, request.fd, request.path, flags);
    default: return io_uring_prep_mkdirat(&entry, request.fd, request.path, request.mode);
  }
}

void prepare_request(io_uring_sqe& entry, const FileRequest& request) noexcept {
  const auto count = static_cast<unsigned>(request.count);
  const auto offset = static_cast<std::uint64_t>(request.offset);
  switch (request.kind) {
    case Kind::kRead: return io_uring_prep_readv(&entry, request.fd, request.buffers, count, offset);
    case Kind::kWrite: return io_uring_prep_writev(&entry, request.fd, request.buffers, count, offset);
    case Kind::kSync: return io_uring_prep_fsync(&entry, request.fd, 0);
    case Kind::kSyncData: return io_uring_prep_fsync(&entry, request.fd, IORING_FSYNC_DATASYNC);
    default: return prepare_path(entry, request);
  }
}

// The kernel never saw it: it goes with the next call, as nothing.
void make_nothing(io_uring_sqe& entry) noexcept {
  io_uring_prep_nop(&entry);
  entry.user_data = FileRing::kNobody;
}

}  // namespace

void FileRing::Close::operator()(io_uring* ring) const noexcept {
  file_rings_come_one_after_the_other();
  io_uring_queue_exit(ring);
  delete ring;
}

[[gnu::noinline]] Result<FileRing> FileRing::create() noexcept {
  std::unique_ptr<io_uring> ring(new (std::nothrow) io_uring());
  if (ring == nullptr) return error_of(ENOMEM);
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  parameters.cq_entries = kAnswers;
  const long raw = attempt(Call::ring_create, -1, [&](std::size_t) {
    return static_cast<long>(io_uring_queue_init_params(kFileEntries, ring.get(), &parameters));
  });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  file_rings_come_one_after_the_other();
  FileRing made{std::unique_ptr<io_uring, Close>(ring.release())};
  if ((parameters.features & IORING_FEAT_NODROP) == 0 || !has_opcodes(*made.ring_)) return error_of(ENOSYS);
  return made;
}

bool FileRing::available() noexcept {
  static const bool answer = create().has_value();
  return answer;
}

bool FileRing::takes(FileRequest::Kind kind) noexcept { return kind < Kind::kClose; }

int FileRing::fd() const noexcept { return ring_->ring_fd; }

[[gnu::noinline]] bool FileRing::submit(const FileRequest& request, std::uint64_t name) noexcept {
  io_uring_sqe* const entry = io_uring_get_sqe(ring_.get());
  if (entry == nullptr) return false;  // requests that were not taken before stand in it
  prepare_request(*entry, request);
  entry->user_data = name;
  if (enter()) return true;
  make_nothing(*entry);
  return false;
}

[[gnu::noinline]] void FileRing::cancel(std::uint64_t name) noexcept {
  io_uring_sqe* const entry = io_uring_get_sqe(ring_.get());
  if (entry == nullptr) return;
  io_uring_prep_cancel64(entry, name, 0);
  entry->user_data = kNobody;
  if (!enter()) make_nothing(*entry);
}

[[gnu::noinline]] void FileRing::cancel_all() noexcept {
  io_uring_sqe* const entry = io_uring_get_sqe(ring_.get());
  if (entry == nullptr) return;
  io_uring_prep_cancel64(entry, 0, IORING_ASYNC_CANCEL_ANY);
  entry->user_data = kNobody;
  if (!enter()) make_nothing(*entry);
}

// Whether the kernel has taken the whole queue, and so what was queued last.
bool FileRing::enter() noexcept {
  while (io_uring_sq_ready(ring_.get()) != 0) {
    const long raw = retry(Call::ring_enter, ring_->ring_fd,
                           [&](std::size_t) { return static_cast<long>(io_uring_submit(ring_.get())); });
    if (raw <= 0) return false;
  }
  return true;
}

[[gnu::noinline]] std::size_t FileRing::take(std::span<RingAnswer> answers) noexcept {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* answer = nullptr;
  io_uring_for_each_cqe(ring_.get(), head, answer) {
    if (count == answers.size()) break;
    answers[count++] = {answer->user_data, answer->res};
  }
  io_uring_cq_advance(ring_.get(), count);
  if (count == 0 && io_uring_cq_has_overflow(ring_.get()) && io_uring_get_events(ring_.get()) >= 0 &&
      io_uring_cq_ready(ring_.get()) != 0)
    return take(answers);
  return count;
}

void FileRing::wait() noexcept {
  io_uring_cqe* answer = nullptr;
  __kernel_timespec limit{.tv_sec = 0, .tv_nsec = 5'000'000};
  [[maybe_unused]] const int waited = io_uring_wait_cqes(ring_.get(), &answer, 1, &limit, nullptr);
}

#else

void FileRing::Close::operator()(io_uring*) const noexcept {}
Result<FileRing> FileRing::create() noexcept { return error_of(ENOSYS); }
bool FileRing::available() noexcept { return false; }
bool FileRing::takes(FileRequest::Kind) noexcept { return false; }
int FileRing::fd() const noexcept { return -1; }
bool FileRing::submit(const FileRequest&, std::uint64_t) noexcept { return false; }
void FileRing::cancel(std::uint64_t) noexcept {}
void FileRing::cancel_all() noexcept {}
bool FileRing::enter() noexcept { return false; }
std::size_t FileRing::take(std::span<RingAnswer>) noexcept { return 0; }
void FileRing::wait() noexcept {}

#endif

}  // namespace weft::sys
