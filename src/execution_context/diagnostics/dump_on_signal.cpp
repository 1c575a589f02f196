// SPDX-License-Identifier: Apache-2.0
// The handler counts a request and wakes a thread; the thread writes. Several signals before it wakes make
// one dump.
#include <weft/dump.hpp>

#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "base/standard_error.hpp"
#include "execution_context/diagnostics/dump.hpp"
#include "execution_context/library_thread.hpp"
#include "sys/futex.hpp"
#include "sys/signal.hpp"

#include <cerrno>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

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
    write_report_to_stderr(dump_to_string());
  }
}

constinit std::mutex start_lock;
bool started = false;  // guarded by start_lock
bool wanted = false;   // the same: since the first start, in a child of fork() too

void start_dump_thread() {
  const std::scoped_lock lock(start_lock);
  if (started) return;
  const sys::BlockedSignals none(sys::all_signals());  // the program's handlers run on its own threads
  std::thread(write_dumps).detach();
  started = wanted = true;
}

}  // namespace

void forget_dump_thread() noexcept {
  new (&start_lock) std::mutex();
  started = false;
}

void restart_dump_thread() {
  if (wanted) start_dump_thread();
}

void dump_on_signal(int signal_number) {
  start_dump_thread();
  if (const auto installed = sys::set_signal_handler(signal_number, on_signal, SA_RESTART); !installed)
    throw std::system_error(installed.error(), "weft: dump_on_signal()");
}

}  // namespace weft
