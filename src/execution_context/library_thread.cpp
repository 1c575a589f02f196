// SPDX-License-Identifier: Apache-2.0
#include "execution_context/library_thread.hpp"

#include "base/atomic.hpp"
#include "sys/thread.hpp"

#include <array>

namespace weft {
namespace {

/// The monitor, the thread of dumps, a poller for each dedicated strategy in use, and those of blocking
/// pools. A thread that finds no place counts as unknown: deadlocks are then not certain.
constinit std::array<Atomic<int>, 1024> ids{};

void replace(int from, int to) noexcept {
  for (Atomic<int>& id : ids) {
    int expected = from;
    if (id.compare_exchange_strong(expected, to, relaxed, relaxed)) return;
  }
}

}  // namespace

LibraryThread::LibraryThread(std::string_view name) noexcept : thread_id_(sys::thread_id()) {
  static_cast<void>(sys::set_thread_name(name));
  replace(0, thread_id_);
}

LibraryThread::~LibraryThread() { replace(thread_id_, 0); }

bool LibraryThread::is_one(int thread_id) noexcept {
  for (const Atomic<int>& id : ids) {
    if (id.load(relaxed) == thread_id) return true;
  }
  return false;
}

void LibraryThread::forget_all() noexcept {
  for (Atomic<int>& id : ids) id.store(0, relaxed);
}

}  // namespace weft
