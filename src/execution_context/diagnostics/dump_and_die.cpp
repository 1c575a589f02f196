// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/dump.hpp"

#include "base/panic.hpp"
#include "execution_context/context_registry.hpp"
#include "fiber/describe.hpp"

#include <charconv>
#include <string_view>

namespace weft {
namespace {

/// A number as text, without allocation.
class Digits {
 public:
  explicit Digits(std::uint64_t number) noexcept
      : size_(static_cast<std::size_t>(std::to_chars(text_, text_ + sizeof(text_), number).ptr - text_)) {}
  std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char text_[20];
  std::size_t size_;
};

/// A fiber that stands in no queue and waits for nothing either runs, or will.
std::string_view doing(Fiber& fiber, bool running) noexcept {
  if (fiber.done) return "ended";
  if (running) return "running";
  return fiber.word.waiting() ? "suspended" : "runnable";
}

/// Lines straight to standard error, for a program that is about to abort.
class LastDump {
 public:
  void add(Fiber& fiber) noexcept {
    if (++count_ > kDumpFibersMax) return;
    bool running = false;
    bool written = false;
    const auto look = [&](Context& candidate) {
      if (static_cast<Home*>(&candidate) != fiber.home) return;
      candidate.for_each_scheduler(
          [&](Scheduler& scheduler) { running = running || scheduler.running() == &fiber; });
      // Under the registry's lock: it keeps the context's name.
      write(fiber, doing(fiber, running), candidate.name());
      written = true;
    };
    ContextRegistry::instance().try_for_each(look);
    if (!written) write(fiber, doing(fiber, running), "?");
  }

  void finish() const noexcept { write_to_stderr({"weft: ", Digits(count_).view(), " fibers in all\n"}); }

 private:
  static void write(Fiber& fiber, std::string_view state, std::string_view context) noexcept {
    write_to_stderr({"weft: fiber ", FiberDescription(fiber, FiberNumber::kAlways).view(), " ", state,
                     " in context \"", context, "\"\n"});
  }

  std::size_t count_ = 0;
};

}  // namespace

// The references are never given back: that could free a fiber, which takes locks and runs destructors.
void dump_fibers_and_die() noexcept {
  LastDump dump;
  StackPool::process().for_each_slot([&](StackSlot& slot) {
    Fiber& fiber = Fiber::in_slot(slot);
    if (fiber.try_reference()) dump.add(fiber);
  });
  dump.finish();
}

}  // namespace weft
