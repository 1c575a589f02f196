// SPDX-License-Identifier: Apache-2.0
// The reduction of the exhaustive search loses nothing: small random programs end in the same ways as when
// every order of their steps is run.
#include "base/spin_lock.hpp"
#include "model/model.hpp"

#include <cstdlib>
#include <mutex>
#include <random>
#include <set>

namespace weft {
namespace {

constexpr std::memory_order kLoadOrders[] = {relaxed, acquire, seq_cst};
constexpr std::memory_order kStoreOrders[] = {relaxed, release, seq_cst};
constexpr std::memory_order kModifyOrders[] = {relaxed, acquire, release, acq_rel, seq_cst};

struct Statement {
  enum class Kind { kLoad, kStore, kAdd, kCompareExchange, kFence, kLocked, kSpin, kCount } kind;
  int location;
  int value;
  std::size_t order;
};

using Program = std::vector<std::vector<Statement>>;

Program random_program(std::mt19937_64& random) {
  Program program(2 + random() % 2);
  int value = 1;
  for (std::vector<Statement>& thread : program) {
    const std::size_t size = program.size() == 2 ? 2 + random() % 2 : 1 + random() % 2;
    for (std::size_t i = 0; i < size; ++i) {
      const auto kind = static_cast<Statement::Kind>(random() % static_cast<int>(Statement::Kind::kCount));
      thread.push_back({kind, static_cast<int>(random() % 2), value++, random()});
    }
  }
  return program;
}

/// What a program's variables are, and what its threads have read.
struct State {
  Atomic<int> locations[2] = {};
  SpinLock lock;
  std::vector<std::vector<int>> read;
};

void run_statement(State& state, std::vector<int>& read, const Statement& statement) {
  Atomic<int>& location = state.locations[statement.location];
  switch (statement.kind) {
    case Statement::Kind::kLoad: read.push_back(location.load(kLoadOrders[statement.order % 3])); break;
    case Statement::Kind::kStore: location.store(statement.value, kStoreOrders[statement.order % 3]); break;
    case Statement::Kind::kAdd:
      read.push_back(location.fetch_add(100, kModifyOrders[statement.order % 5]));
      break;
    case Statement::Kind::kCompareExchange: {
      int expected = 0;
      read.push_back(location.compare_exchange_strong(expected, statement.value,
                                                      kModifyOrders[statement.order % 5], relaxed));
      read.push_back(expected);
      break;
    }
    case Statement::Kind::kFence: full_fence(); break;
    case Statement::Kind::kLocked: {
      std::scoped_lock locked(state.lock);
      read.push_back(location.load(relaxed));
      location.store(statement.value, relaxed);
      break;
    }
    default:
      if (location.load(kLoadOrders[statement.order % 3]) != 0) break;
      state.locations[1 - statement.location].store(statement.value, relaxed);
  }
}

std::set<std::vector<std::vector<int>>> endings_of(const Program& program, const model::Options& options,
                                                   std::uint64_t& executions) {
  std::set<std::vector<std::vector<int>>> endings;
  const model::Outcome outcome = model::explore(options, [&] {
    State state;
    state.read.resize(program.size());
    std::vector<model::ThreadBody> threads;
    for (std::size_t i = 0; i < program.size(); ++i) {
      threads.push_back({"thread", [&, i] {
                           for (const Statement& statement : program[i])
                             run_statement(state, state.read[i], statement);
                         }});
    }
    model::run(threads);
    state.read.push_back({state.locations[0].load(relaxed), state.locations[1].load(relaxed)});
    endings.insert(state.read);
  });
  EXPECT_TRUE(outcome && outcome.complete) << outcome.report;
  executions += outcome.executions;
  return endings;
}

TEST(ExhaustiveSearch, EndsRandomProgramsInAllTheWaysThereAre) {
  constexpr int kPrograms = 100;
  std::uint64_t seed = 20261127;
  if (const char* const given = std::getenv("WEFT_MODEL_SEED")) seed = std::strtoull(given, nullptr, 10);
  std::mt19937_64 random(seed);
  std::uint64_t reduced = 0, all = 0;
  for (int i = 0; i < kPrograms; ++i) {
    const Program program = random_program(random);
    model::Options everything;
    everything.preemptions_max = 1000;
    const auto expected = endings_of(program, everything, all);
    ASSERT_EQ(endings_of(program, {}, reduced), expected) << "seed " << seed << ", program " << i;
  }
  std::printf("[  model   ] %llu executions for %llu\n", static_cast<unsigned long long>(reduced),
              static_cast<unsigned long long>(all));
}

// Nobody loses the CPU by the first choice, or when a thread ends or waits.
TEST(BoundedSearch, WithoutPreemptionsRunsTheThreadsInEveryOrder) {
  model::Options options;
  options.preemptions_max = 0;
  std::set<std::vector<int>> orders;
  const model::Outcome outcome = model::explore(options, [&] {
    Atomic<int> place{0};
    std::vector<int> order(3);
    const auto take_place = [&](std::size_t own) {
      order[own] = place.fetch_add(1, relaxed);
      static_cast<void>(place.load(relaxed));
    };
    model::run({{"a", [&] { take_place(0); }}, {"b", [&] { take_place(1); }}, {"c", [&] { take_place(2); }}});
    orders.insert(order);
  });
  EXPECT_TRUE(outcome && outcome.complete) << outcome.report;
  EXPECT_EQ(outcome.executions, 6u);
  EXPECT_EQ(orders.size(), 6u);
}

}  // namespace
}  // namespace weft
