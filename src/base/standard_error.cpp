// SPDX-License-Identifier: Apache-2.0
#include "base/standard_error.hpp"

#include "base/atomic.hpp"
#include "base/clock.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace weft {
namespace {

/// No more at once than a pipe takes in one piece, once poll() has found room in it.
constexpr std::size_t kPieceSizeMax = 1024;
constexpr int kReportPatienceMs = 100;
/// In a row, although poll() saw room: others write, too.
constexpr int kRefusalsMax = 3;

Atomic<std::uint64_t> dropped{0};
Atomic<std::uint64_t> dropped_untold{0};

// A disk, which is waited for and nobody else.
bool never_full(int fd) noexcept {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/// How long a text waits for its reader: for so long at once, and a few times as long in all.
class Patience {
 public:
  explicit Patience(int milliseconds) noexcept
      : at_once_ms_(milliseconds),
        until_ns_(milliseconds == 0 ? 0 : monotonic_ns() + kWaitsInAll * milliseconds * 1'000'000) {}

  /// How long it may wait now.
  int left_ms() const noexcept {
    if (at_once_ms_ == 0) return 0;
    const std::int64_t left_ns = until_ns_ - monotonic_ns();
    // Rounded up: 0 says that it is over.
    return left_ns <= 0 ? 0 : std::min(at_once_ms_, static_cast<int>((left_ns + 999'999) / 1'000'000));
  }

 private:
  static constexpr std::int64_t kWaitsInAll = 5;

  const int at_once_ms_;
  const std::int64_t until_ns_;
};

// A reader that has gone is no room: a write would raise SIGPIPE.
bool has_room(int fd, const Patience& patience) noexcept {
  pollfd entry{.fd = fd, .events = POLLOUT, .revents = 0};
  int ready = ::poll(&entry, 1, patience.left_ms());
  // Signals, of a profiler for example, do not end the patience.
  while (ready < 0 && errno == EINTR && patience.left_ms() != 0)
    ready = ::poll(&entry, 1, patience.left_ms());
  return ready == 1 && entry.revents == POLLOUT;
}

// Room may be gone again: others write, too. Kernels and files without RWF_NOWAIT have only poll()'s word.
ssize_t write_without_waiting(int fd, std::string_view text) noexcept {
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  const ssize_t written = ::pwritev2(fd, &piece, 1, -1, RWF_NOWAIT);
  if (written >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) return written;
  return ::write(fd, text.data(), text.size());
}

// What was not written.
std::string_view write_all(int fd, std::string_view text, const Patience& patience) noexcept {
  const bool file = never_full(fd);
  for (int refusals = 0; !text.empty() && refusals <= kRefusalsMax;) {
    if (!file && !has_room(fd, patience)) break;
    const std::string_view piece = text.substr(0, kPieceSizeMax);
    const ssize_t written = file ? ::write(fd, piece.data(), piece.size()) : write_without_waiting(fd, piece);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR && errno != EAGAIN) break;
    refusals = written > 0 ? 0 : refusals + 1;
  }
  return text;
}

bool tell_dropped(std::uint64_t count, const Patience& patience) noexcept {
  constexpr std::string_view kBefore = "weft: standard error was full: lost here: ";
  char line[kBefore.size() + 21];
  char* at = line + kBefore.copy(line, kBefore.size());
  at = std::to_chars(at, line + sizeof(line) - 1, count).ptr;
  *at++ = '\n';
  return write_all(STDERR_FILENO, {line, static_cast<std::size_t>(at - line)}, patience).empty();
}

}  // namespace

bool write_standard_error(std::string_view text, int patience_ms) noexcept {
  const int saved_errno = errno;
  const Patience patience(patience_ms);
  const std::uint64_t untold = dropped_untold.exchange(0, relaxed);
  const bool written =
      (untold == 0 || tell_dropped(untold, patience)) && write_all(STDERR_FILENO, text, patience).empty();
  if (!written) {
    dropped.fetch_add(1, relaxed);
    dropped_untold.fetch_add(untold + 1, relaxed);
  }
  errno = saved_errno;
  return written;
}

void write_report_to_stderr(std::string_view text) noexcept { write_standard_error(text, kReportPatienceMs); }

std::uint64_t dropped_standard_error() noexcept { return dropped.load(relaxed); }

}  // namespace weft
