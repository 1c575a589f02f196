// SPDX-License-Identifier: Apache-2.0
// No wake-up is lost (S2, S5, S11; docs/design/idle.md): submitters against schedulers that park or block in
// the event loop. The steps are those of sleep_steps.hpp, idle.cpp, parker.hpp, sleep_word.hpp and
// global_queue.hpp, which ship; the loop around them is Scheduler's, which is no part of a model, retold.
#include "execution_context/idle/sleep_steps.hpp"

#include "event_loop/polling/sleep_word.hpp"
#include "execution_context/scheduler/global_queue.hpp"
#include "model/bounds.hpp"
#include "model/model.hpp"

#include <array>

namespace weft {
namespace {

using model::FailureKind;

/// An event loop of which nothing but its sleep is left; the eventfd is a futex.
class SleepyLoop {
 public:
  void prepare_to_block() noexcept { sleep.announce(); }
  void cancel_block() noexcept { sleep.withdraw(); }
  void interrupt() noexcept {
    if (!sleep.interrupt()) return;
    event_fd.store(1, seq_cst);
    sys::futex_wake(event_fd, 1);
  }
  void run() noexcept {
    if (sleep.awake() || !sleep.begin_block()) return;
    while (event_fd.exchange(0, seq_cst) == 0) sys::futex_wait(event_fd, 0);
    sleep.end_block();
  }

  SleepWord sleep;
  Atomic<std::uint32_t> event_fd{0};
};

struct Fibers {
  Fiber& operator[](std::size_t index) noexcept { return reinterpret_cast<Fiber&>(memory[index]); }
  alignas(Fiber) std::byte memory[2][sizeof(Fiber)];
};

struct Context {
  explicit Context(int expected) : left(expected) {
    model::name(idle, "idle");
    model::name(loop, "loop");
    model::name(queue, "queue");
    model::name(left, "left");
  }

  void submit(Fiber& fiber) {
    queue.push(fiber);
    wake_for_work(idle, loop);
  }
  bool take() {
    FiberQueue taken;
    queue.take(taken, 1);
    return taken.pop() != nullptr;
  }
  bool ended() const { return left.load(seq_cst) == 0; }
  void run_one() {
    if (left.fetch_sub(1, seq_cst) != 1) return;
    full_fence();  // as Context::wake_everybody()
    idle.wake_all();
    loop.interrupt();
  }

  IdleSet idle;
  SleepyLoop loop;
  GlobalQueue queue;
  Atomic<int> left;
};

/// A thread of the context: next_from_root(), search(), sleep().
struct Thread : IdleThread {
  void run(Context& context) {
    while (!context.ended()) {
      if (!searching) context.idle.begin_search();
      searching = true;
      const bool found = context.take();
      const bool last = context.idle.end_search();
      searching = false;
      if (found) {
        if (last) wake_for_the_rest(context.idle, context.loop, [&] { return !context.queue.empty(); });
        context.run_one();
      } else if (context.idle.begin_poll(*this)) {
        poll(context);
      } else {
        park(context);
      }
    }
    if (context.idle.revoke_poll_duty(*this)) wake_for_work(context.idle, context.loop);
    if (searching) context.idle.end_search();
  }
  void poll(Context& context) {
    if (may_block(context.loop, [&] { return !context.queue.empty() || context.ended(); }))
      context.loop.run();
    context.idle.end_poll(*this, true);
  }
  void park(Context& context) {
    const auto look = [&] {
      return !context.queue.empty() || context.idle.poll_duty_free() || context.ended();
    };
    if (!must_park(context.idle, *this, look)) return;
    parker.park();
    searching = true;  // wake_one() counted it in
  }

  bool searching = false;
};

TEST(ModelSleep, OneThreadAndOneSubmitter) {
  model::expect_holds([] {
    Context context(1);
    Fibers fibers;
    Thread thread;
    model::run(
        {{"scheduler", [&] { thread.run(context); }}, {"submitter", [&] { context.submit(fibers[0]); }}});
  });
}

TEST(ModelSleep, OneThreadAndTwoSubmissions) {
  model::expect_holds(model::always_bounded(3), [] {
    Context context(2);
    Fibers fibers;
    Thread thread;
    model::run({{"scheduler", [&] { thread.run(context); }}, {"submitter", [&] {
                                                                context.submit(fibers[0]);
                                                                context.submit(fibers[1]);
                                                              }}});
  });
}

TEST(ModelSleep, TwoThreadsAndASubmitter) {
  model::expect_holds(model::always_bounded(1), [] {
    Context context(1);
    Fibers fibers;
    Thread thread, other;
    model::run({{"scheduler", [&] { thread.run(context); }},
                {"sibling", [&] { other.run(context); }},
                {"submitter", [&] { context.submit(fibers[0]); }}});
  });
}

TEST(ModelSleep, TwoThreadsAndTwoSubmissionsAtRandom) {
  model::expect_holds(model::at_random(10'000), [] {
    Context context(2);
    Fibers fibers;
    Thread thread, other;
    model::run({{"scheduler", [&] { thread.run(context); }},
                {"sibling", [&] { other.run(context); }},
                {"submitter", [&] {
                   context.submit(fibers[0]);
                   context.submit(fibers[1]);
                 }}});
  });
}

/// A poller takes two fibers out of the loop and frees the duty; each of them keeps its thread until
/// something comes that only a poll brings. A third thread is parked, or about to park. What was wrong:
/// whoever was woken for the second fiber, found it and was the last to search, looked for more work, but not
/// at the duty.
template <bool kLooksAtDuty>
void busy_burst() {
  IdleSet idle;
  SleepyLoop loop;
  Atomic<int> fibers{0};
  Atomic<int> event{0};  // 1: it is there; 2: a poll has brought it
  model::name(idle, "idle");
  model::name(loop, "loop");
  model::name(fibers, "fibers");
  model::name(event, "event");
  const auto take = [&] {
    int left = fibers.load(seq_cst);
    while (left > 0 && !fibers.compare_exchange_strong(left, left - 1, seq_cst)) continue;
    return left > 0;
  };
  const auto keep_thread = [&] {
    while (event.load(acquire) != 2) cpu_relax();
  };
  Thread poller, sibling, third;
  model::check(idle.begin_poll(poller), "nobody has it");
  const auto idle_thread = [&](Thread& thread) {
    while (event.load(acquire) != 2) {
      if (!thread.searching) idle.begin_search();
      thread.searching = true;
      const bool found = take();
      const bool last = idle.end_search();
      thread.searching = false;
      const auto has_work = [&] { return fibers.load(seq_cst) != 0; };
      if (found) {
        if (last && kLooksAtDuty) wake_for_the_rest(idle, loop, has_work);
        if (last && !kLooksAtDuty && has_work()) wake_for_work(idle, loop);
        return keep_thread();
      }
      if (idle.begin_poll(thread)) {  // and polls until the event comes
        while (event.load(acquire) != 1) cpu_relax();
        event.store(2, release);
        return idle.wake_all();  // the end
      }
      const auto look = [&] { return has_work() || idle.poll_duty_free() || event.load(acquire) == 2; };
      if (!must_park(idle, thread, look)) continue;
      thread.parker.park();
      thread.searching = true;
    }
  };
  model::run({{"poller",
               [&] {
                 fibers.store(2, release);
                 idle.end_poll(poller, false);
                 wake_for_work(idle, loop);
                 const bool first = take();
                 event.store(1, release);
                 if (first) return keep_thread();
                 idle_thread(poller);
               }},
              {"sibling", [&] { idle_thread(sibling); }},
              {"third", [&] { idle_thread(third); }}});
}

TEST(ModelSleep, SomebodyPollsWhileTheFibersOfAPollKeepTheirThreads) {
  model::expect_holds(model::always_bounded(1), busy_burst<true>);
}
TEST(ModelSleep, PlantedALastSearcherThatDoesNotLookAtTheDutyIsFound) {
  model::expect_fails(model::always_bounded(1), FailureKind::kDeadlock, busy_burst<false>);
}

// Both change the word from "kept". Whoever loses finds the duty free, or the keeper in the loop.
TEST(ModelSleep, ADutyThatIsTakenUpWhileItIsRevokedIsTakenUpOrFree) {
  model::expect_holds([] {
    IdleSet idle;
    Thread keeper;
    model::check(idle.begin_poll(keeper), "nobody has it");
    idle.end_poll(keeper, true);
    bool begun = false, revoked = false;
    model::run({{"keeper", [&] { begun = idle.begin_poll(keeper); }},
                {"monitor", [&] { revoked = idle.revoke_poll_duty(keeper); }}});
    model::check(begun || revoked, "one of the two had its way");
    model::check(idle.poll_duty_free() == !begun, "and the duty is free if the keeper had not");
  });
}

// What a page says of two seq_cst operations, asked with the words that ship (docs/design/event-loop.md): who
// arms stores the next deadline, then looks whether the loop sleeps; the sleeper says so, then reads the next
// deadline.
TEST(ModelSleep, ADeadlineThatIsArmedWhileTheLoopFallsAsleepIsSeenOrEndsTheSleep) {
  model::expect_holds([] {
    SleepWord sleep;
    Atomic<int> next{0};
    model::name(sleep, "sleep");
    model::name(next, "next");
    bool notified = false, seen = false;
    model::run({{"sleeper",
                 [&] {
                   sleep.announce();
                   seen = !sleep.begin_block() || next.load(seq_cst) != 0;
                 }},
                {"armer", [&] {
                   next.store(1, seq_cst);
                   notified = sleep.interrupt();
                 }}});
    model::check(notified || seen, "the loop wakes in time");
  });
}

/// A sleeper and a submitter without their fences, or with a step in the wrong place.
template <bool kFences, bool kPublishFirst, bool kLookAgain>
void planted() {
  Atomic<bool> work{false};
  SleepyLoop loop;
  model::name(work, "work");
  model::name(loop, "loop");
  model::run({{"scheduler",
               [&] {
                 while (!work.load(relaxed)) {
                   loop.prepare_to_block();
                   if (kFences) full_fence();
                   if (kLookAgain && work.load(relaxed)) {
                     loop.cancel_block();
                     continue;
                   }
                   loop.run();
                 }
               }},
              {"submitter", [&] {
                 if (kPublishFirst) work.store(true, release);
                 if (kFences) full_fence();
                 loop.interrupt();
                 if (!kPublishFirst) work.store(true, release);
               }}});
}

TEST(ModelSleep, TheStepsWithoutAPlantedErrorHold) { model::expect_holds(planted<true, true, true>); }
TEST(ModelSleep, PlantedMissingFencesAreFound) {
  model::expect_fails(FailureKind::kDeadlock, planted<false, true, true>);
}
TEST(ModelSleep, PlantedAPublicationAfterTheLookIsFound) {
  model::expect_fails(FailureKind::kDeadlock, planted<true, false, true>);
}
TEST(ModelSleep, PlantedASleepWithoutALastLookIsFound) {
  model::expect_fails(FailureKind::kDeadlock, planted<true, true, false>);
}

}  // namespace
}  // namespace weft
