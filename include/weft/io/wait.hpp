// SPDX-License-Identifier: Apache-2.0
#pragma once

// Waiting for descriptors that weft does not own: those of C libraries (libpq, hiredis, libcurl), of
// inotify, timerfd or another event loop. See docs/guide/foreign.md.

#include <weft/deadline.hpp>
#include <weft/detail/descriptor_handle.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/result.hpp>

#include <cstdint>

namespace weft::io {

/// What to wait for; combine both with `|`.
enum class Interest : std::uint8_t { kReadable = 1, kWritable = 2 };

constexpr Interest operator|(Interest a, Interest b) noexcept {
  return static_cast<Interest>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

/// What poll(2) says of a descriptor. An error or a hang-up makes it ready in each direction that was asked
/// for: the next call of its owner does not wait, and finds out.
struct Ready {
  bool readable = false;
  bool writable = false;
  bool hung_up = false;  ///< POLLHUP: the peer has closed its side, or both directions were shut down
  bool error = false;    ///< POLLERR: an error is pending

  friend bool operator==(const Ready&, const Ready&) = default;
};

/// Waits until the descriptor `fd`, which somebody else owns, is ready for `interest`. Says what it is ready
/// for. Data that is there already counts, as with poll(2): a caller that has read only a part is told again.
///
/// `fd` may be of any kind: a socket, a pipe, a terminal, an eventfd; a regular file is always ready. Its
/// flags do not change, so it may be blocking. The file stays open while a fiber waits, also if its owner
/// closes `fd` meanwhile; then the call ends by what the peer does, by its deadline or by cancellation.
///
/// Suspends the calling fiber; BUG on a plain thread. Errors: EBADF if `fd` is not open, EINVAL if `interest`
/// is empty, EMFILE (it takes a descriptor for the time of the call), Errc::timed_out, Errc::cancelled, and
/// Errc::unsupported in a simulated world. Thread safety: any number of fibers of any contexts may wait for
/// one descriptor; all of them are woken.
///
/// Costs a registration with the event loop for each call that has to wait; Registration keeps one.
///
///     while (PQconnectPoll(c) == PGRES_POLLING_READING)
///       weft::io::wait(PQsocket(c), weft::io::Interest::kReadable, 5s).value();
Result<Ready> wait(int fd, Interest interest, Deadline deadline = Deadline::never());

/// A registration of somebody else's descriptor with the event loops, kept between waits. It holds a copy of
/// the descriptor (F_DUPFD), so the descriptor's owner cannot invalidate it; it belongs to one event loop
/// after the other, as weft's own descriptors do.
///
/// A library may close its descriptor and open another one, with the same number or with another: call
/// attach() before each wait. As long as the file is the same, that costs one system call and changes
/// nothing.
///
/// The copy keeps the file open: a connection that its library has closed ends for its peer when the
/// registration is detached, attached to another file, or destroyed.
///
/// Suspension, errors, cancellation, deadlines: as wait(). Thread safety: any number of fibers of any
/// contexts may be in wait(); attach(), detach(), moving and destroying require exclusive access, except that
/// detach() may be called while others wait: they fail with Errc::closed. Use it in fibers; it may be
/// destroyed anywhere. It can be a branch of a select: `weft::readable(registration, f)`, `writable`.
class Registration {
 public:
  /// Attached to nothing: every call but attach() fails with Errc::closed.
  Registration() noexcept = default;
  Registration(Registration&& other) noexcept : handle_(other.handle_.take()) {}
  Registration& operator=(Registration&& other) noexcept;
  /// Detaches.
  ~Registration();

  /// From now on wait() waits for the file that `fd` stands for now. If it fails, the registration is
  /// attached to nothing. Does not wait for the file. Errors: EBADF, EMFILE, Errc::unsupported.
  Result<void> attach(int fd);
  /// Attaches to nothing. Errc::closed if it was so before.
  Result<void> detach();
  bool attached() const noexcept;

  /// As io::wait(), for the attached file.
  Result<Ready> wait(Interest interest, Deadline deadline = Deadline::never());

 private:
  friend struct weft::detail::StreamAccess;
  weft::detail::DescriptorHandle descriptor() const noexcept { return handle_; }

  weft::detail::DescriptorHandle handle_;
};

}  // namespace weft::io
