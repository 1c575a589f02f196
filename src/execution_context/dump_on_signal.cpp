// SPDX-License-Identifier: Apache-2.0
// The handler counts a request and wakes a thread; the thread writes. Several signals before it wakes make
// one dump.
#include <weft/dump.hpp>

#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "execution_context/library_thread.hpp"
#include "sys/futex.hpp"
#include "sys/signal.hpp"

#include <cerrno>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace weft {
namespace {

constinit Atomic<std::uint32_t> requests{0};

/// Async-signal-safe.
WEFT_NO_SANITIZE void on_signal(int, siginfo_t*, void*) noexcept {
  const int saved_errno = errno;
  requests.fetch_add(1, relaxed);
  sys::futex_wake(requests, 1);
  errno = saved_errno;
}

[[noreturn]] void write_dumps() {
  const LibraryThread thread("weft-dump");
  for (std::uint32_t seen = 0;;) {
    const std::uint32_t now = requests.load(relaxed);
    if (now == seen) {
      sys::futex_wait(requests, seen);
      continue;
    }
    seen = now;
    dump(STDERR_FILENO);
  }
}

}  // namespace

void dump_on_signal(int signal_number) {
  [[maybe_unused]] static const bool started = [] {
    const sys::BlockedSignals none(sys::all_signals());  // the program's handlers run on its own threads
    std::thread(write_dumps).detach();
    return true;
  }();
  if (const auto installed = sys::set_signal_handler(signal_number, on_signal, SA_RESTART); !installed)
    throw std::system_error(installed.error(), "weft: dump_on_signal()");
}

}  // namespace weft
