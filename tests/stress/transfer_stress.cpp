// SPDX-License-Identifier: Apache-2.0
// Contexts hand live sockets to each other under load, for WEFT_STRESS_SECONDS (shared out between the event
// loop strategies: the default, each of the others, and all of them mixed): each direction of each connection
// is written and read by legs, short fibers in a context drawn for each; legs time out and are cancelled,
// streams are closed, registrations fail, contexts end and new ones start, all at random. Every byte is
// checked, a wake-up that is lost stops the progress that a watchdog looks at, one that comes twice breaks
// the wait word, and at the end nothing may be left: no file descriptor, no descriptor record, no fiber.
//
//   WEFT_STRESS_SEED repeats the choices of a run, though not its interleavings.
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "fiber/fiber.hpp"
#include "support/any_context.hpp"
#include "support/stress.hpp"
#include "support/tcp.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"

#include <weft/monitor.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <system_error>
#include <thread>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using Random = std::minstd_rand;
using net::TcpStream;
using test::Watchdog;

enum class LegEnd { kAgain, kFinished };

/// One direction of a connection: what is sent from one end to the other.
struct Traffic {
  static constexpr std::size_t kTotal = 300'000;

  TcpStream* from;
  TcpStream* to;
  unsigned seed;
  std::atomic<bool>* disturbed;  ///< somebody closed an end: anything but a wrong byte may come
  std::atomic<std::uint64_t>* progress;
  std::size_t sent = 0;      ///< the writing leg's
  std::size_t received = 0;  ///< the reading leg's

  std::byte at(std::size_t position) const {
    return static_cast<std::byte>(seed * 31 + position * 131 + (position >> 8));
  }
};

Deadline some_deadline(Random& random) {
  return random() % 4 == 0 ? Deadline::after(std::chrono::microseconds(random() % 500)) : Deadline::never();
}

/// Whether the operation may be tried again by this fiber (or by the next one, if it was cancelled).
bool passes(const std::error_code& error) {
  return error == Errc::timed_out || error == Errc::cancelled || error == sys::error_of(ENOMEM);
}

void expect_disturbed(const Traffic& flow, const std::error_code& error) {
  if (!*flow.disturbed) {
    ADD_FAILURE() << error.message() << " after " << flow.sent << " sent, " << flow.received << " received";
  }
}

LegEnd end_of(Traffic& flow) {
  if (const auto ended = flow.from->shutdown(net::ShutdownMode::kWrite); !ended)
    expect_disturbed(flow, ended.error());
  return LegEnd::kFinished;
}

LegEnd write_leg(Traffic& flow, Random random) {
  std::array<std::byte, 8192> buffer;
  for (unsigned step = static_cast<unsigned>(random() % 40); step != 0; --step) {
    const std::size_t size = std::min<std::size_t>(1 + random() % buffer.size(), Traffic::kTotal - flow.sent);
    if (size == 0) return end_of(flow);
    for (std::size_t i = 0; i < size; ++i) buffer[i] = flow.at(flow.sent + i);
    const auto written = flow.from->write_some_until(std::span(buffer).first(size), some_deadline(random));
    if (written) {
      flow.sent += *written;
      ++*flow.progress;
    } else if (!passes(written.error())) {
      return expect_disturbed(flow, written.error()), LegEnd::kFinished;
    } else if (written.error() == Errc::cancelled) {
      return LegEnd::kAgain;
    }
  }
  return LegEnd::kAgain;
}

void check_bytes(Traffic& flow, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    if (byte != flow.at(flow.received++)) {
      ADD_FAILURE() << "a wrong byte at " << flow.received - 1;
      std::abort();
    }
  }
}

LegEnd read_leg(Traffic& flow, Random random) {
  std::array<std::byte, 8192> buffer;
  for (unsigned step = static_cast<unsigned>(random() % 40); step != 0; --step) {
    const std::size_t size = 1 + random() % buffer.size();
    const auto read = flow.to->read_some_until(std::span(buffer).first(size), some_deadline(random));
    if (read) {
      check_bytes(flow, std::span(buffer).first(*read));
      ++*flow.progress;
    } else if (read.error() == Errc::end_of_file && flow.received == Traffic::kTotal) {
      return LegEnd::kFinished;
    } else if (!passes(read.error())) {
      return expect_disturbed(flow, read.error()), LegEnd::kFinished;
    } else if (read.error() == Errc::cancelled) {
      return LegEnd::kAgain;
    }
  }
  return LegEnd::kAgain;
}

/// The contexts there are now.
class Contexts {
 public:
  /// Without strategies: of any, at random.
  Contexts(Random& random, std::optional<EventLoopStrategy> strategy) : random_(random), strategy_(strategy) {
    for (auto& slot : slots_) replace(slot);
  }
  test::AnyContext& any() { return *slots_[random_() % slots_.size()]; }
  void replace_one() { replace(slots_[random_() % slots_.size()]); }

 private:
  void replace(std::unique_ptr<test::AnyContext>& slot) {
    using test::AnyContextKind;
    slot.reset();  // cancels what runs there, and retires the loop
    const auto kind = random_() % 2 == 0 ? AnyContextKind::kConcurrent : AnyContextKind::kParallel2;
    while (slot == nullptr) {
      try {
        slot = std::make_unique<test::AnyContext>(
            test::ContextCase(kind, strategy_ ? *strategy_ : any_strategy()));
      } catch (
          const std::system_error&) {  // the injected failure was for a number that is the new loop's now
      }
    }
  }

  EventLoopStrategy any_strategy() {
    const auto named = EventLoopStrategy::named();
    return named[random_() % named.size()];
  }

  Random& random_;
  const std::optional<EventLoopStrategy> strategy_;
  std::array<std::unique_ptr<test::AnyContext>, 3> slots_;
};

/// A connection and its four kinds of legs.
class Wire {
 public:
  Wire(Contexts& contexts, Random& random, Watchdog& watchdog)
      : contexts_(contexts), random_(random), progress_(watchdog.progress) {
    connect();
    legs_[0].run = [this](Random r) { return write_leg(there_, r); };
    legs_[1].run = [this](Random r) { return read_leg(there_, r); };
    legs_[2].run = [this](Random r) { return write_leg(back_, r); };
    legs_[3].run = [this](Random r) { return read_leg(back_, r); };
  }

  /// Starts legs that are due, cancels some, closes an end now and then. False when all have finished.
  bool drive() {
    bool alive = false;
    for (Leg& leg : legs_) {
      drive(leg);
      alive = alive || !leg.finished;
    }
    if (random_() % 20'000 == 0) close_one();
    return alive;
  }

  void close_one() {
    disturbed_ = true;
    TcpStream& stream = random_() % 2 == 0 ? *there_.from : *there_.to;
    if (random_() % 2 == 0) {
      static_cast<void>(stream.close());
    } else {
      static_cast<void>(contexts_.any().spawn([&] { return stream.close(); }).join_uncancellable());
    }
  }
  int some_fd() const { return (random_() % 2 == 0 ? ends_->client : ends_->server).native_handle(); }
  void finish() {
    disturbed_ = true;
    static_cast<void>(ends_->client.close());
    static_cast<void>(ends_->server.close());
    while (drive()) std::this_thread::yield();
  }

 private:
  struct Leg {
    std::function<LegEnd(Random)> run;
    JoinHandle<LegEnd> fiber;
    bool finished = false;
  };

  void connect() {
    while (ends_ == nullptr) {
      try {
        contexts_.any().spawn([this] { ends_ = std::make_unique<test::Streams>(); }).join_uncancellable();
      } catch (const std::system_error&) {  // an injected failure
      }
    }
    there_ = {&ends_->client, &ends_->server, static_cast<unsigned>(random_()), &disturbed_, &progress_};
    back_ = {&ends_->server, &ends_->client, static_cast<unsigned>(random_()), &disturbed_, &progress_};
  }

  void drive(Leg& leg) {
    if (leg.finished) return;
    if (leg.fiber.joinable()) {
      if (!leg.fiber.done()) {
        if (random_() % 500 == 0) leg.fiber.cancel();
        return;
      }
      leg.finished = leg.fiber.join_uncancellable() == LegEnd::kFinished;
      ++progress_;
      if (leg.finished) return;
    }
    leg.fiber = contexts_.any().spawn([&run = leg.run, random = Random(random_())] { return run(random); });
  }

  Contexts& contexts_;
  Random& random_;
  std::atomic<std::uint64_t>& progress_;
  std::atomic<bool> disturbed_{false};
  std::unique_ptr<test::Streams> ends_;
  Traffic there_{}, back_{};
  std::array<Leg, 4> legs_;
};

struct Inventory {
  std::size_t files = 0;
  std::size_t descriptors = 0;
  std::size_t fibers = 0;

  static Inventory take() {
    Inventory now;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
      ++now.files;
    DescriptorArena::instance().for_each([&](Descriptor& descriptor) {
      const std::scoped_lock lock(descriptor.lock);
      if (descriptor.fd >= 0) ++now.descriptors;
    });
    for_each_fiber(StackPool::process(), nullptr, [&](Fiber&) { ++now.fibers; });
    return now;
  }
};

/// Whose contexts hand sockets to each other; none: those of all strategies.
struct Between {
  std::optional<EventLoopStrategy> strategy;
  int share;  ///< of the time, in tenths
};

std::vector<Between> all_strategies() {
  std::vector<Between> all{{std::nullopt, 2}};
  for (const EventLoopStrategy& strategy : EventLoopStrategy::named()) all.push_back({strategy, 1});
  return all;
}

class TransferStress : public testing::TestWithParam<Between> {};

TEST_P(TransferStress, LiveSocketsGoFromContextToContext) {
  const test::StressPlan plan;
  const std::chrono::milliseconds time = std::chrono::milliseconds(plan.length) * GetParam().share / 10;
  set_stuck_report_after(0ms);  // on a busy machine its backtrace reads the program's file, which is one more
  const Inventory before = Inventory::take();
  std::size_t connections = 0;
  std::size_t replaced = 0;
  {
    Random random(plan.seed);
    Watchdog watchdog;
    Contexts contexts(random, GetParam().strategy);
    std::optional<sys::FaultPlan> faults;
    std::vector<std::unique_ptr<Wire>> wires(12);
    const auto end = std::chrono::steady_clock::now() + time;
    auto next_replacement = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() < end) {
      for (auto& wire : wires) {
        if (wire != nullptr && wire->drive()) continue;
        wire = std::make_unique<Wire>(contexts, random, watchdog);
        ++connections;
      }
      if (std::chrono::steady_clock::now() > next_replacement) {
        contexts.replace_one();
        ++replaced;
        faults.emplace().fail(sys::Call::epoll_add, ENOMEM,
                              {.fd = wires[random() % wires.size()]->some_fd()});
        next_replacement += std::chrono::milliseconds(random() % 40);
      }
      std::this_thread::yield();
    }
    for (auto& wire : wires) wire->finish();
    std::printf("%zu connections, %zu contexts replaced, %llu steps\n", connections, replaced,
                static_cast<unsigned long long>(watchdog.progress));
  }
  const Inventory after = Inventory::take();
  EXPECT_EQ(after.files, before.files);
  EXPECT_EQ(after.descriptors, 0u);
  EXPECT_EQ(after.fibers, 0u);
  EXPECT_GE(connections, 12u);
  set_stuck_report_after(100ms);
}

INSTANTIATE_TEST_SUITE_P(Between, TransferStress, testing::ValuesIn(all_strategies()), [](const auto& test) {
  return test.param.strategy ? weft::test::name_of(weft::test::ContextCase(
                                   weft::test::AnyContextKind::kConcurrent, *test.param.strategy))
                             : std::string("AllStrategies");
});

}  // namespace
}  // namespace weft
