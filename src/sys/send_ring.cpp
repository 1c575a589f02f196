// SPDX-License-Identifier: Apache-2.0
// https://man7.org/linux/man-pages/man7/io_uring.7.html. What is sent with MSG_DONTWAIT is done, or refused,
// before io_uring_enter() returns: nothing is ever under way when send() is over.
#include "sys/send_ring.hpp"

#include "base/atomic.hpp"
#include "base/panic.hpp"
#include "base/sanitizers.hpp"
#include "base/spin_backoff.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"

#include <algorithm>
#include <utility>

#if WEFT_HAVE_LIBURING
#include <liburing.h>
#include <new>
#endif

namespace weft::sys {

SendRing::SendRing() noexcept = default;
SendRing::SendRing(SendRing&&) noexcept = default;
SendRing& SendRing::operator=(SendRing&&) noexcept = default;
SendRing::~SendRing() = default;
SendRing::SendRing(std::unique_ptr<io_uring, Close> ring) noexcept : ring_(std::move(ring)) {}

#if WEFT_HAVE_LIBURING

namespace {

/// What a submission is called that became void: nobody reads its answer.
constexpr std::uint64_t kVoid = SendRing::kSendsMax;

/// Twice the messages of a call: void ones may still stand before them.
constexpr unsigned kEntries = 2 * SendRing::kSendsMax;

void prepare(io_uring_sqe& entry, const RingSend& send, std::size_t size, std::uint64_t name) noexcept {
  io_uring_prep_send(&entry, send.fd, send.data.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
  entry.user_data = name;
}

// The kernel never saw it: it goes with the next call, as nothing.
void make_void(io_uring_sqe& entry) noexcept {
  io_uring_prep_nop(&entry);
  entry.user_data = kVoid;
}

/// Takes the answers that are there; how many.
unsigned take_answers(io_uring& ring, std::span<RingSend> sends) noexcept {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* answer = nullptr;
  io_uring_for_each_cqe(&ring, head, answer) {
    ++count;
    if (answer->user_data < sends.size()) sends[answer->user_data].raw = answer->res;
  }
  io_uring_cq_advance(&ring, count);
  return count;
}

bool is_shortage(int error) noexcept { return error == EAGAIN || error == EBUSY || error == ENOMEM; }

/// A ring may lie where another one was, of another thread. liburing maps and unmaps by system calls of its
/// own, of which TSan does not learn: it is told that one comes after the other.
void come_after_other_rings() noexcept {
#if WEFT_TSAN
  static Atomic<int> rings{0};
  rings.fetch_add(1, acq_rel);
#endif
}

}  // namespace

void SendRing::Close::operator()(io_uring* ring) const noexcept {
  come_after_other_rings();
  io_uring_queue_exit(ring);
  delete ring;
}

[[gnu::noinline]] Result<SendRing> SendRing::create() noexcept {
  std::unique_ptr<io_uring> ring(new (std::nothrow) io_uring());
  if (ring == nullptr) return error_of(ENOMEM);
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN;
  const long raw = attempt(Call::ring_create, -1, [&](std::size_t) {
    return static_cast<long>(io_uring_queue_init_params(kEntries, ring.get(), &parameters));
  });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  come_after_other_rings();
  [[maybe_unused]] const int registered = io_uring_register_ring_fd(ring.get());  // quicker calls, if it can
  return SendRing(std::unique_ptr<io_uring, Close>(ring.release()));
}

[[gnu::noinline]] void SendRing::send(std::span<RingSend> sends) noexcept {
  WEFT_ASSERT(valid() && sends.size() <= kSendsMax, "too many messages for one call",
              WEFT_VALUE(sends.size()));
  io_uring_sqe* entries[kSendsMax];
  const unsigned before = io_uring_sq_ready(ring_.get());  // void ones
  unsigned count = 0;
  for (RingSend& send : sends) {
    const Fault fault = intercept(Call::ring_send, send.fd);
    send.raw = fault.error != 0 ? -fault.error : RingSend::kNotSent;
    io_uring_sqe* const entry = fault.error != 0 ? nullptr : io_uring_get_sqe(ring_.get());
    if (entry == nullptr) continue;
    prepare(*entry, send, std::min(send.data.size(), fault.size_max),
            static_cast<std::uint64_t>(&send - sends.data()));
    entries[count++] = entry;
  }
  unsigned taken = 0;
  while (taken < before + count) {
    const long raw = retry(Call::ring_enter, ring_->ring_fd,
                           [&](std::size_t) { return static_cast<long>(io_uring_submit(ring_.get())); });
    if (raw <= 0) break;
    taken += static_cast<unsigned>(raw);
  }
  for (unsigned i = taken > before ? taken - before : 0; i < count; ++i) make_void(*entries[i]);
  SpinBackoff shortage;
  for (unsigned answered = take_answers(*ring_, sends); answered < taken;) {
    io_uring_cqe* answer = nullptr;
    const int waited = io_uring_wait_cqe(ring_.get(), &answer);
    WEFT_ASSERT(waited == 0 || waited == -EINTR || is_shortage(-waited), "io_uring has lost an answer",
                WEFT_VALUE(waited));
    if (is_shortage(-waited)) shortage.pause();  // the kernel has the messages, and no memory to say so yet
    answered += take_answers(*ring_, sends);
  }
}

#else

void SendRing::Close::operator()(io_uring*) const noexcept {}
Result<SendRing> SendRing::create() noexcept { return error_of(ENOSYS); }
void SendRing::send(std::span<RingSend> sends) noexcept {
  for (RingSend& send : sends) send.raw = RingSend::kNotSent;
}

#endif

}  // namespace weft::sys
