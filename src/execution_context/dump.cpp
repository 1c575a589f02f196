// SPDX-License-Identifier: Apache-2.0
#include "execution_context/dump.hpp"

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

class Dump {
 public:
  enum class Visiting : bool { kWaits, kTries };

  explicit Dump(Visiting visiting) noexcept : visiting_(visiting) {}

  void add(Fiber& fiber) noexcept {
    if (++count_ > kDumpFibersMax) return;
    bool running = false;
    std::string_view context = "?";
    const auto look = [&](Context& candidate) {
      if (static_cast<Home*>(&candidate) != fiber.home) return;
      context = candidate.name();
      candidate.for_each_scheduler(
          [&](Scheduler& scheduler) { running = running || scheduler.running() == &fiber; });
      write(fiber, doing(fiber, running), context);
    };
    // The line is written under the registry's lock: it keeps the context's name.
    const int lines = lines_;
    if (visiting_ == Visiting::kWaits) {
      ContextRegistry::instance().for_each(look);
    } else {
      ContextRegistry::instance().try_for_each(look);
    }
    if (lines_ == lines) write(fiber, doing(fiber, running), context);
  }

  void finish() const noexcept {
    write_to_stderr({"weft: ", Digits(static_cast<std::uint64_t>(count_)).view(), " fibers in all\n"});
  }

 private:
  void write(Fiber& fiber, std::string_view state, std::string_view context) noexcept {
    ++lines_;
    write_to_stderr({"weft: fiber #", Digits(fiber.id).view(), " ", FiberDescription(fiber).view(), " ",
                     state, " in context \"", context, "\"\n"});
  }

  const Visiting visiting_;
  int count_ = 0;
  int lines_ = 0;
};

}  // namespace

void dump_fibers() noexcept {
  Dump dump(Dump::Visiting::kWaits);
  for_each_fiber(StackPool::process(), nullptr, [&](Fiber& fiber) { dump.add(fiber); });
  dump.finish();
}

// The references are never given back: that could free a fiber, which takes locks and runs destructors.
void dump_fibers_and_die() noexcept {
  Dump dump(Dump::Visiting::kTries);
  StackPool::process().for_each_slot([&](StackSlot& slot) {
    Fiber& fiber = Fiber::in_slot(slot);
    if (fiber.try_reference()) dump.add(fiber);
  });
  dump.finish();
}

}  // namespace weft
