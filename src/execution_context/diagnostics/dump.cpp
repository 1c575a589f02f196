// SPDX-License-Identifier: Apache-2.0
#include <weft/dump.hpp>

#include "base/standard_error.hpp"
#include "execution_context/context_registry.hpp"
#include "execution_context/diagnostics/dump.hpp"
#include "execution_context/diagnostics/fiber_snapshot.hpp"
#include "execution_context/diagnostics/symbol.hpp"
#include "fiber/describe.hpp"
#include "fiber/join.hpp"

#include <cerrno>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <unistd.h>
#include <unordered_map>

namespace weft {
namespace {

/// Dumps come one at a time: a wait is held by one.
std::mutex& dump_lock() noexcept {
  static constinit std::mutex lock;  // without a destructor: also while statics end
  return lock;
}

std::string line_of(Fiber& fiber, std::string_view state, std::string_view context) {
  std::string line = "weft: fiber ";
  line += FiberDescription(fiber, FiberNumber::kAlways).view();
  line += ' ';
  line += state;
  line += " in context \"";
  line += context;
  return line + "\"\n";
}

/// Fibers that wait for one another in a circle.
class Rings {
 public:
  /// Each fiber waits for one other at most.
  void add(std::uint64_t waiter, std::uint64_t for_whom) { waits_for_[waiter] = for_whom; }

  /// A line for each. From each fiber as far as it goes; a ring is named by its lowest number.
  std::string text() const {
    std::string text;
    for (const auto& [start, next] : waits_for_) {
      std::string ring = "#" + std::to_string(start);
      std::uint64_t id = next;
      for (std::size_t steps = 0; steps < waits_for_.size() && id > start; ++steps) {
        ring += " waits for #" + std::to_string(id);
        const auto found = waits_for_.find(id);
        id = found == waits_for_.end() ? 0 : found->second;
      }
      if (id == start) text += "weft: deadlock: " + ring + " waits for #" + std::to_string(start) + '\n';
    }
    return text;
  }

 private:
  std::unordered_map<std::uint64_t, std::uint64_t> waits_for_;
};

class Dump {
 public:
  /// Of all fibers, or of those of one context that is being closed, which is only compared.
  explicit Dump(const Context* only = nullptr) noexcept : only_(only) {}

  void add(Fiber& fiber) {
    bool running = false;
    bool wanted = only_ == nullptr;
    std::string context = "?";
    ContextRegistry::instance().for_each([&](Context& candidate) {
      if (static_cast<Home*>(&candidate) != fiber.home) return;
      // Closing, or it is another one that has the address now.
      wanted = wanted || (&candidate.leader() == only_ && candidate.closing() && !fiber_done(fiber));
      context = candidate.name();
      candidate.for_each_scheduler(
          [&](Scheduler& scheduler) { running = running || scheduler.running() == &fiber; });
    });
    if (!wanted) return;
    if (++count_ > kDumpFibersMax) return;
    const std::optional<HeldWait> wait = HeldWait::of(fiber);
    text_ += line_of(fiber, doing(fiber, wait, running), context);
    if (!wait) return;
    add_wait(*wait);
    if (wait->internal() && wait->what.fiber_id != 0) rings_.add(fiber.id, wait->what.fiber_id);
  }

  void add(ThreadWaiter& thread) {
    const std::optional<HeldWait> wait = HeldWait::of(thread);
    if (!wait || !wait->parked) return;
    text_ += "weft: thread " + std::to_string(thread.thread_id()) + " suspended, in no context\n";
    add_wait(*wait);
  }

  FiberList finish() {
    text_ += rings_.text();
    if (count_ > kDumpFibersMax || only_ == nullptr)
      text_ += "weft: " + std::to_string(count_) + " fibers in all\n";
    return {count_, std::move(text_)};
  }

 private:
  /// A fiber that stands in no queue and waits for nothing either runs, or will.
  static std::string_view doing(Fiber& fiber, const std::optional<HeldWait>& wait, bool running) noexcept {
    if (wait && wait->parked) return "suspended";
    if (fiber_done(fiber)) return "ended";
    return running ? "running" : "runnable";
  }

  void add_wait(const HeldWait& wait) {
    text_ += "weft:   waits for ";
    text_ += wait.what.text();
    if (wait.deadline_ns != Waiter::kNoDeadline) text_ += ", with a deadline";
    text_ += '\n';
    for (const std::string& frame : describe_backtrace(wait.frames(), InnermostFrame::kReturnAddress))
      text_ += "weft:     " + frame + '\n';
  }

  const Context* const only_;
  std::string text_;
  std::size_t count_ = 0;
  Rings rings_;
};

}  // namespace

void forget_dumps_in_progress() noexcept { new (&dump_lock()) std::mutex(); }

std::string dump_to_string() {
  const std::scoped_lock lock(dump_lock());
  Dump dump;
  for_each_fiber(StackPool::process(), nullptr, [&](Fiber& fiber) { dump.add(fiber); });
  ThreadWaiter::for_each([&](ThreadWaiter& thread) { dump.add(thread); });
  return dump.finish().text;
}

FiberList dump_of_context(const Context* context) {
  const std::scoped_lock lock(dump_lock());
  Dump dump(context);
  for_each_fiber(StackPool::process(), nullptr, [&](Fiber& fiber) { dump.add(fiber); });
  return dump.finish();
}

void write_text(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void dump(int fd) {
  const std::string text = dump_to_string();
  fd == STDERR_FILENO ? write_report_to_stderr(text) : write_text(fd, text);
}

void dump(std::FILE* stream) {
  const std::string text = dump_to_string();
  [[maybe_unused]] const std::size_t written = std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

}  // namespace weft
