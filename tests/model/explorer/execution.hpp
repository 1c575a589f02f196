// SPDX-License-Identifier: Apache-2.0
#pragma once

// One execution of a model: its threads, run one step at a time in the order that a search chooses.
//
// A thread runs until it comes to an operation, announces it (take_turn) and leaves. When the search has
// chosen it, it performs the operation and runs to the next one. All of that is one thread of the machine.

#include "model/explorer/coroutine.hpp"
#include "model/explorer/memory.hpp"
#include "model/explorer/operation.hpp"
#include "model/explorer/search.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft::model {

enum class FailureKind : std::uint8_t {
  kNone,
  kCheck,
  kDeadlock,
  kLivelock,
  kDataRace,
  kLifetime,
  kPanic,
  kLimit
};

struct Failure {
  FailureKind kind = FailureKind::kNone;
  std::string what;
  explicit operator bool() const noexcept { return kind != FailureKind::kNone; }
};

/// A step that was made, for the trace.
struct Step {
  ThreadIndex thread;
  Operation operation;
};

/// A thread to be started: its name, and what it does.
struct ThreadBody {
  const char* name;
  std::function<void()> body;
};

struct ExecutionLimits {
  int steps_max = 2000;
  int spurious_max = 0;  ///< weak compare-exchanges that fail, and futex waits that return, without reason
};

class Execution {
 public:
  Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  /// Runs `body` as the first thread until all have ended, or something failed. True if it ended properly.
  bool run(Search&, const ExecutionLimits&, const std::function<void()>& body);

  const Failure& failure() const noexcept { return failure_; }
  const std::vector<unsigned>& choices() const noexcept { return choices_; }
  std::string trace() const;

  /// The execution that the caller is a thread of.
  static Execution& current() noexcept;

  // -- by the running thread
  /// Starts threads, and returns when all have ended.
  void run_threads(const std::vector<ThreadBody>& threads);
  /// Waits for the running thread's turn to perform `operation`; returns it, for its outcome to be noted.
  Operation& take_turn(const Operation& operation);
  unsigned choose(unsigned count);
  /// Whether something that need not happen happens now (see ExecutionLimits).
  bool choose_spurious();
  [[noreturn]] void fail(FailureKind kind, std::string what);

  Memory& memory() noexcept { return memory_; }
  Knowledge& knowledge() noexcept { return threads_[running_].knowledge; }
  ThreadIndex running() const noexcept { return running_; }
  /// Only the body runs.
  bool alone() const noexcept { return alone_; }
  int event() const noexcept { return alone_ ? kNoEvent : static_cast<int>(steps_.size()) - 1; }
  LocationIndex location(void* address, unsigned size, Where where);
  /// What the running thread has read since it last spun: a later store ends its spinning.
  void watch(LocationIndex location, std::uint16_t index) noexcept;
  void spin(Where where);

  // -- parts of a thread that other files keep
  struct Thread {
    std::unique_ptr<Coroutine> coroutine;
    std::string name;
    Knowledge knowledge;
    Operation pending;
    bool alive = false;
    struct Watched {
      LocationIndex location;
      std::uint16_t index;
    };
    std::vector<Watched> watched;
    bool woken = false;  ///< of a futex wait
    bool has_deadline = false;
    int locks_held = 0;
    int tokens = 0;        ///< enqueues that no suspend has taken yet
    View enqueued;         ///< what the enqueuers knew
    void* user = nullptr;  ///< the runner of the thread (this_runner())
  };
  Thread& thread(std::size_t index) noexcept { return threads_[index]; }
  Thread& running_thread() noexcept { return threads_[running_]; }

 private:
  void reset();
  void drive();
  void start_children();
  void resume(ThreadIndex thread);
  bool enabled(ThreadIndex thread) const noexcept;
  bool changed_since_watched(const Thread&) const noexcept;
  Situation situate() const noexcept;
  void fail_stuck(const Situation&);
  void require_alive(LocationIndex, Where);
  void abandon_unfinished();

  Flow root_;
  Search* search_ = nullptr;
  ExecutionLimits limits_;
  Memory memory_;
  std::array<Thread, kThreadsMax> threads_;
  std::size_t started_ = 0;  // threads from 1 on
  std::vector<ThreadBody> to_start_;
  ThreadIndex running_ = 0;
  bool alone_ = true;  // only the body runs: its operations are no steps
  Step alone_step_{};
  int spurious_ = 0;
  std::vector<Step> steps_;
  std::vector<unsigned> choices_;
  Failure failure_;
};

}  // namespace weft::model
