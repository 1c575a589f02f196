// SPDX-License-Identifier: Apache-2.0
// The migration diagnostics over real sockets: what is reported, once, and what is not
// (docs/design/migration-diagnostics.md). A threshold of a few turns a second, so that a slow machine gets
// there; what must not be reported would have been by then.
#include "event_loop/migration/migration_log.hpp"
#include "execution_context/diagnostics/monitor.hpp"
#include "support/strategies.hpp"

#include <weft/migration.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace weft::test {
namespace {

using What = MigrationReport::What;

constexpr std::uint32_t kThreshold = 4;

std::uint64_t reported() { return migration_history().reported; }

/// Sets the diagnostics for a test, and collects what the handler is told.
class Told {
 public:
  explicit Told(std::uint32_t threshold = kThreshold) {
    set_migration_diagnostics({.threshold = threshold, .reports_per_minute = 1000, .handler = collect()});
  }
  /// What was reported is told by another thread: it shall not be told to the next one.
  ~Told() {
    eventually([this] { return count() == reported() - before_; }, "the telling of all reports");
    set_migration_diagnostics({});
  }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  std::size_t count() {
    const std::scoped_lock lock(lock_);
    return reports_.size();
  }
  MigrationReport first() {
    eventually([this] { return count() != 0; }, "a report");
    const std::scoped_lock lock(lock_);
    return reports_.front();
  }

 private:
  MigrationHandler collect() {
    return [this](const MigrationReport& report) {
      const std::scoped_lock lock(lock_);
      reports_.push_back(report);
    };
  }

  const std::uint64_t before_ = reported();
  std::mutex lock_;
  std::vector<MigrationReport> reports_;
};

std::uint64_t reached() { return reported() + migration_history().suppressed; }

/// One byte is read by a fiber called `name`, which has to wait for it.
void read_one(ExecutionContext& context, const Connection& connection, const char* name) {
  const Near near = connection.near;
  auto reader = context.spawn([near] { return near.read(1, Deadline::after(kPatience)); }, {.name = name});
  until_settled(near, Direction::kRead);
  connection.far.send("x");
  ASSERT_EQ(reader.join_uncancellable().value(), "x");
}

void bounce(ExecutionContext& a, ExecutionContext& b, const Connection& connection, int times) {
  for (int i = 0; i < times; ++i) {
    read_one(a, connection, "left");
    read_one(b, connection, "right");
  }
}

/// Until somebody is reported more than before; a machine that is slow takes a few seconds.
template <class Turn>
void until_reported(Turn&& turn) {
  const std::uint64_t before = reported();
  eventually([&] { return turn(), reported() > before; }, "a report");
}

std::string printed(const MigrationReport& report) {
  testing::internal::CaptureStderr();
  print_migration_report(report);
  return testing::internal::GetCapturedStderr();
}

TEST(MigrationDiagnostics, ABouncingSocketIsReportedOnceWithBothContextsFibersAndBacktraces) {
  Told told;
  ConcurrentContext a("hall", {.strategy = Strategy::lifetime()});
  ConcurrentContext b("kitchen", {.strategy = Strategy::lifetime()});
  const Connection connection = tcp_connection();
  until_reported([&] { bounce(a, b, connection, 1); });
  const std::uint64_t before = reached();
  const MigrationReport report = told.first();
  bounce(a, b, connection, 2 * kThreshold);
  EXPECT_EQ(reached(), before) << "reported again";
  EXPECT_EQ(told.count(), 1u);

  EXPECT_EQ(report.what, What::kTransfers);
  EXPECT_EQ(report.fd, connection.near.fd());
  EXPECT_EQ(report.count, kThreshold);
  EXPECT_GE(report.transfers, kThreshold);
  EXPECT_LT(report.within, std::chrono::seconds(1));
  EXPECT_EQ(report.local.substr(0, 10), "127.0.0.1:");
  EXPECT_EQ(report.peer.substr(0, 10), "127.0.0.1:");
  ASSERT_EQ(report.steps.size(), 2u);
  const auto [latest, before_it] = std::pair(report.steps[0], report.steps[1]);
  EXPECT_EQ(latest.from, before_it.to);
  EXPECT_EQ(latest.to, before_it.from);
  const bool to_hall = latest.to == "\"hall\"";
  EXPECT_EQ(latest.from, to_hall ? "\"kitchen\"" : "\"hall\"");
  EXPECT_EQ(latest.fiber.substr(0, 6), to_hall ? "\"left\"" : "\"right");
  EXPECT_EQ(before_it.fiber.substr(0, 6), to_hall ? "\"right" : "\"left\"");
  EXPECT_NE(latest.fiber_id, before_it.fiber_id);
  EXPECT_GE(latest.backtrace.size(), 4u);
  EXPECT_GE(before_it.backtrace.size(), 4u);
  EXPECT_TRUE(connection.near.close());
}

TEST(MigrationDiagnostics, AReportSaysAsTextWhatItIs) {
  const MigrationReport report{
      .what = What::kTransfers,
      .fd = 17,
      .local = "127.0.0.1:3443",
      .peer = "[::1]:50000",
      .count = 4812,
      .within = std::chrono::milliseconds(1040),
      .transfers = 5000,
      .steps = {{.from = "\"A\"", .to = "\"B\"", .fiber = "\"w\" (x)", .backtrace = {}},
                {.from = "\"B\"", .to = "\"A\"", .fiber = "#7 (y)", .backtrace = {}}},
      .suppressed = 9990};
  EXPECT_EQ(
      printed(report),
      "weft: socket 17 (127.0.0.1:3443, peer [::1]:50000) was transferred 4,812 times in 1.04 s "
      "between \"A\" and "
      "\"B\"\n"
      "weft:   transferred last from \"A\" to \"B\", fiber \"w\" (x)\n"
      "weft:   transferred before from \"B\" to \"A\", fiber #7 (y)\n"
      "weft:   each transfer is two system calls; one fiber that uses it, or EventLoopStrategy::pinned(), "
      "has none\n"
      "weft:   before it, 9,990 others like it were left out\n");
}

// Each moves once, and most stand in the same record: counts that were carried over would add up.
TEST(MigrationDiagnostics, ConnectionsThatAreHandedOnOnceAreNotReported) {
  Told told(2);
  ConcurrentContext front("front", {.strategy = Strategy::lifetime()});
  ConcurrentContext back("back", {.strategy = Strategy::lifetime()});
  const std::uint64_t before = reached();
  for (int i = 0; i < 50; ++i) {
    const Connection connection = tcp_connection();
    read_one(front, connection, "accepts");
    for (int k = 0; k < 3; ++k) read_one(back, connection, "serves");
    EXPECT_EQ(connection.near.counters().transfers, 1u);
    EXPECT_TRUE(connection.near.close());
  }
  EXPECT_EQ(reached(), before);
}

TEST(MigrationDiagnostics, APinnedConnectionThatWasHandedOnIsNotReported) {
  Told told(2);
  ConcurrentContext front("front", {.strategy = Strategy::pinned()});
  ConcurrentContext back("back", {.strategy = Strategy::pinned()});
  const std::uint64_t before = reached();
  const Connection connection = tcp_connection();
  read_one(front, connection, "accepts");
  for (int i = 0; i < 20; ++i) read_one(back, connection, "serves");
  EXPECT_EQ(connection.near.counters().cross_context_wakeups, 20u);
  EXPECT_EQ(reached(), before);
  EXPECT_TRUE(connection.near.close());
}

TEST(MigrationDiagnostics, SwitchedOffNothingIsCounted) {
  Told told(0);
  ConcurrentContext a("a", {.strategy = Strategy::lifetime()});
  ConcurrentContext b("b", {.strategy = Strategy::lifetime()});
  const std::uint64_t before = reached();
  const Connection connection = tcp_connection();
  bounce(a, b, connection, 20);
  EXPECT_EQ(connection.near.counters().transfers, 39u);
  {
    const std::scoped_lock lock(connection.near.handle.descriptor->lock);
    EXPECT_EQ(connection.near.handle.descriptor->migration.transfers(), 0u);
  }
  EXPECT_EQ(reached(), before);
  EXPECT_TRUE(connection.near.close());
}

class MigrationUnder : public testing::TestWithParam<Strategy> {
 protected:
  /// What a socket that two contexts use by turns is reported for.
  static std::optional<What> expected() {
    const Strategy strategy = GetParam();
    if (strategy.ownership == Strategy::Ownership::kTransfer) return What::kTransfers;
    if (strategy == Strategy::pinned() || strategy == Strategy::dedicated()) return What::kTurns;
    return std::nullopt;
  }
  /// Under these it depends on who polls whether anybody is woken across.
  static bool depends() { return GetParam() == Strategy::process() || GetParam() == Strategy::broadcast(); }
};

TEST_P(MigrationUnder, ASocketThatTwoContextsUseByTurnsIsReportedForWhatItCosts) {
  Told told;
  ConcurrentContext a("a", {.strategy = GetParam()});
  ConcurrentContext b("b", {.strategy = GetParam()});
  const Connection connection = tcp_connection();
  const std::uint64_t before = reached();
  if (expected()) {
    until_reported([&] { bounce(a, b, connection, 1); });
    const MigrationReport report = told.first();
    EXPECT_EQ(report.what, *expected());
    EXPECT_EQ(report.fd, connection.near.fd());
    EXPECT_EQ(report.count, kThreshold);
    ASSERT_EQ(report.steps.size(), 2u);
    if (GetParam() != Strategy::dedicated()) {
      EXPECT_NE(report.steps[0].from, report.steps[0].to);
    } else {
      EXPECT_EQ(report.steps[0].from, "a loop that contexts share");
      EXPECT_NE(report.steps[0].to, report.steps[1].to);
    }
  }
  bounce(a, b, connection, 2 * kThreshold);
  if (!depends()) {
    EXPECT_EQ(reached() - before, expected() ? 1u : 0u);
  }
  EXPECT_LE(reached() - before, 1u);
  EXPECT_TRUE(connection.near.close());
}

INSTANTIATE_TEST_SUITE_P(, MigrationUnder,
                         testing::ValuesIn(Strategy::named().begin(), Strategy::named().end()),
                         strategy_name);

/// The strategies under which a descriptor has an owner that is one context's.
std::vector<Strategy> with_an_owner() {
  return {Strategy::rearm_thread(), Strategy::rearm_context(), Strategy::pinned(),
          Strategy::lifetime_thread(), Strategy::lifetime()};
}

class MigrationWithAnOwnerUnder : public testing::TestWithParam<Strategy> {};

/// A writer in `b` is forwarded through the loop of a reader in `a`, who waits meanwhile and is woken now and
/// then, until that is reported.
MigrationReport report_of_both_sides(ExecutionContext& a, ExecutionContext& b) {
  const Connection connection = tcp_connection();
  const Near near = connection.near;
  auto reader = a.spawn(
      [near] {
        while (near.read(1)) {}
      },
      {.name = "reader"});
  until_settled(near, Direction::kRead);
  auto writer = b.spawn([near] { return near.write_until_it_fails(); }, {.name = "writer"});
  until_settled(near, Direction::kWrite);
  until_reported([&] {
    const auto wakeups = [&] { return near.counters().wakeups; };
    std::uint32_t before = wakeups();
    connection.far.send("x");
    // Woken is off the list: if it stands there after that, it waits again.
    eventually([&] { return wakeups() > before && near.awaited(Direction::kRead); }, "the reader");
    before = wakeups();
    eventually([&] { return connection.far.drain(), wakeups() > before; }, "the writer");
    until_settled(near, Direction::kWrite);
  });
  EXPECT_TRUE(near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
  reader.join_uncancellable();
  return migration_history().reports.back();
}

// If the writer's edge beats the reader to its next wait, the other step is the writer's one before; and if
// the writer waits again before the reader does, the socket moves to its context, and the parts are the other
// way round. Neither is what is asked for here.
TEST_P(MigrationWithAnOwnerUnder, AReaderInOneContextAndAWriterInAnotherAreReportedWithBothSides) {
  Told told;
  ConcurrentContext a("reads", {.strategy = GetParam()});
  ConcurrentContext b("writes", {.strategy = GetParam()});
  MigrationReport report;
  eventually(
      [&] {
        report = report_of_both_sides(a, b);
        return report.steps.size() == 2 && report.steps[1].from.empty() &&
               report.steps[0].from == "\"reads\"";
      },
      "a report at a moment when the reader waits");
  EXPECT_EQ(report.what, What::kTurns);
  EXPECT_EQ(report.steps[0].from, "\"reads\"");
  EXPECT_EQ(report.steps[0].to, "\"writes\"");
  EXPECT_EQ(report.steps[0].fiber.substr(0, 8), "\"writer\"");
  EXPECT_EQ(report.steps[1].to, "\"reads\"");
  EXPECT_EQ(report.steps[1].fiber.substr(0, 8), "\"reader\"");
  EXPECT_NE(printed(report).find("was waited on by turns, 4 times in "), std::string::npos);
  EXPECT_NE(printed(report).find("beside it, in \"reads\", waited fiber \"reader\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(, MigrationWithAnOwnerUnder, testing::ValuesIn(with_an_owner()), strategy_name);

TEST(MigrationDiagnostics, BetweenThreadsThatFibersArePinnedToTheThreadIsSaid) {
  Told told;
  ParallelContext pair("pair", {.parallelism = 2, .strategy = Strategy::lifetime_thread()});
  const Connection connection = tcp_connection();
  until_reported([&] { read_one(pair, connection, "dealt"); });  // dealt round robin
  const MigrationReport report = told.first();
  const bool up = report.steps[0].to == "\"pair\" (thread 1)";
  EXPECT_EQ(report.steps[0].from, up ? "\"pair\" (thread 0)" : "\"pair\" (thread 1)");
  EXPECT_EQ(report.steps[0].to, up ? "\"pair\" (thread 1)" : "\"pair\" (thread 0)");
  EXPECT_TRUE(connection.near.close());
}

/// A socket moves from `a` to `b`, and is closed during its move back.
void close_during_the_second_move(ExecutionContext& a, ExecutionContext& b, const Connection& connection) {
  const Near near = connection.near;
  read_one(a, connection, "left");
  read_one(b, connection, "right");
  Window window;
  sys::FaultPlan faults;
  faults.run(sys::Call::epoll_remove, [&](int) { window.hold(); }, {.fd = near.fd()});
  auto mover = read_in(a, near);
  window.entered.wait();
  close_during_a_move(near, window);
  EXPECT_EQ(mover.join_uncancellable().error(), Errc::closed);
}

// The mover is a user: the number is its file's until the report is complete (M3).
TEST(MigrationDiagnostics, ASocketThatIsClosedWhileItIsReportedIsReportedWhole) {
  Told told(2);
  ConcurrentContext a("a", {.strategy = Strategy::lifetime()});
  ConcurrentContext b("b", {.strategy = Strategy::lifetime()});
  int number = -1;
  until_reported([&] {  // at the first time, if its two moves lie within a second
    const Connection connection = tcp_connection();
    number = connection.near.fd();
    close_during_the_second_move(a, b, connection);
  });
  const MigrationReport report = told.first();
  EXPECT_EQ(report.fd, number);
  EXPECT_NE(report.local, "");
  EXPECT_NE(report.peer, "");
}

TEST(MigrationDiagnostics, ADescriptorThatIsNoSocketHasNoAddresses) {
  Told told;
  ConcurrentContext a("a", {.strategy = Strategy::lifetime()});
  ConcurrentContext b("b", {.strategy = Strategy::lifetime()});
  const Connection connection = unix_connection();
  until_reported([&] { bounce(a, b, connection, 1); });
  const MigrationReport report = told.first();
  EXPECT_EQ(report.local, "");
  EXPECT_EQ(report.peer, "");
  EXPECT_EQ(printed(report).substr(0, 17), "weft: descriptor ");
  EXPECT_TRUE(connection.near.close());
}

TEST(MigrationDiagnostics, TheHistoryHasAReportWhateverTheHandlerDoes) {
  Gate leave;
  std::atomic<bool> entered{false};
  const std::uint64_t before = reached();
  {
    set_migration_diagnostics({.threshold = kThreshold, .reports_per_minute = 1, .handler = [&](const auto&) {
                                 entered = true;
                                 leave.wait();
                               }});
    ConcurrentContext a("a", {.strategy = Strategy::lifetime()});
    ConcurrentContext b("b", {.strategy = Strategy::lifetime()});
    const Connection one = tcp_connection();
    const Connection two = tcp_connection();
    eventually([&] { return bounce(a, b, one, 1), entered.load(); }, "the handler");
    eventually([&] { return bounce(a, b, two, 1), reached() == before + 2; }, "the second");
    leave.open();
    EXPECT_TRUE(one.near.close());
    EXPECT_TRUE(two.near.close());
    set_migration_diagnostics({});
  }
  const MigrationHistory history = migration_history();
  EXPECT_EQ(history.reported + history.suppressed, before + 2);
  EXPECT_GE(history.suppressed, 1u);  // one a minute
  ASSERT_FALSE(history.reports.empty());
  EXPECT_EQ(history.reports.back().count, kThreshold);
  EXPECT_EQ(history.reports.back().steps.size(), 2u);
}

// M6: whoever moves it may be on a thread that the monitor does not watch.
TEST(MigrationDiagnostics, AReportWakesTheMonitorFromItsSleep) {
  Told told;
  { ConcurrentContext once("once"); }  // starts the monitor
  eventually([] { return Monitor::parked(); }, "the monitor's sleep");
  MigrationLog::instance().report({.index = ~0u, .generation = 1},
                                  MigrationFacts{.fd = 5, .local = {}, .peer = {}}, MigrationStep{}, nullptr,
                                  0);
  EXPECT_EQ(told.first().fd, 5);
}

}  // namespace
}  // namespace weft::test
