// SPDX-License-Identifier: Apache-2.0
// Laws L7, L10, L15 and the races of P2: who has a descriptor registered, and how that changes.
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/registration/loop_registry.hpp"
#include "support/laws.hpp"

#include <atomic>
#include <fcntl.h>
#include <thread>

namespace weft::test {
namespace {

using sys::Call;

class LawsOfOwnership : public Laws {
 protected:
  Connection connection = tcp_connection();
  Near near = connection.near;

  ~LawsOfOwnership() override {
    if (near.fd() >= 0) static_cast<void>(near.close());
  }
  auto read_in(ExecutionContext& context) {
    return context.spawn([this] { return near.read(4096, Deadline::after(kPatience)); });
  }
};

TEST_F(LawsOfOwnership, L7_OwnershipFollowsTheFiberThatWaits) {
  settle_in(a, connection);
  settle_in(b, connection);
  EXPECT_EQ(near.counters().transfers, 1u);
  EXPECT_EQ(b.event_loop_counters().transfers, 1u);
  settle_in(b, connection);
  EXPECT_EQ(near.counters().transfers, 1u);
  EXPECT_EQ(near.counters().cross_context_wakeups, 0u);
}

TEST_F(LawsOfOwnership, L7_AWriterWaitsThroughTheLoopOfAReaderInAnotherContext) {
  auto reader = read_in(a);
  near.until_awaited(Direction::kRead);
  auto writer = b.spawn([this] { return near.write_until_it_fails(Deadline::after(kPatience)); });
  near.until_awaited(Direction::kWrite);
  EXPECT_EQ(near.owner(), loop_id(a));
  const auto woken = [&] { return near.counters().cross_context_wakeups >= 1; };
  eventually([&] { return connection.far.drain(), woken(); }, "the writer in b");
  EXPECT_EQ(near.counters().transfers, 0u);
  connection.far.send("for a");
  EXPECT_EQ(reader.join_uncancellable().value(), "for a");
  EXPECT_GE(a.event_loop_counters().cross_context_wakeups, 1u);
  EXPECT_TRUE(near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
}

TEST_F(LawsOfOwnership, P2_AnEdgeThatComesBeforeTheNewOwnerIsStoredWakesTheMover) {
  ParallelContext target("target", {.parallelism = 2});
  settle_in(a, connection);
  Window window;  // between the add to the new loop and the end of the move
  sys::FaultPlan faults;
  faults.run(Call::epoll_remove, [&](int) { window.hold(); }, {.fd = near.fd()});
  auto reader = read_in(target);
  window.entered.wait();
  const std::uint32_t wakeups = near.counters().wakeups;
  connection.far.send("edge");
  eventually([&] { return near.counters().wakeups > wakeups; }, "the edge, taken by the other thread");
  EXPECT_FALSE(near.owner());
  window.leave.open();
  EXPECT_EQ(reader.join_uncancellable().value(), "edge");
  EXPECT_EQ(near.owner(), loop_id(target));
}

TEST_F(LawsOfOwnership, P2_AWaiterThatComesDuringAMoveIsServedByTheNewOwner) {
  settle_in(a, connection);
  Window window;
  sys::FaultPlan faults;
  faults.run(Call::epoll_add, [&](int) { window.hold(); }, {.fd = near.fd()});
  auto mover = read_in(b);
  window.entered.wait();
  auto writer = a.spawn([this] { return near.write_until_it_fails(Deadline::after(kPatience)); });
  near.until_awaited(Direction::kWrite);
  window.leave.open();
  eventually([&] { return near.owner() == loop_id(b); }, "the end of the move");
  connection.far.send("moved");
  EXPECT_EQ(mover.join_uncancellable().value(), "moved");
  EXPECT_TRUE(near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
}

// close() while the mover stands after its add: one delete from each loop, although a copy of the fd lives
// on.
TEST_F(LawsOfOwnership, P2_CloseDuringAMoveLeavesNoRegistrationBehind) {
  settle_in(a, connection);
  const int number = near.fd();
  const sys::Fd copy = sys::duplicate(number).value();
  Window window;
  sys::FaultPlan faults;
  faults.run(Call::epoll_remove, [&](int) { window.hold(); }, {.fd = number});
  sys::CallCounter counter;
  auto mover = read_in(b);
  window.entered.wait();
  std::thread closer([&] { EXPECT_TRUE(near.close()); });
  eventually([&] { return near.handle.descriptor->usage.closing(); }, "close()");
  EXPECT_GE(::fcntl(number, F_GETFD), 0) << "the number was given back under the mover";
  window.leave.open();
  closer.join();
  EXPECT_EQ(mover.join_uncancellable().error(), Errc::closed);
  EXPECT_EQ(counter.counts()[Call::epoll_add], 1u);
  EXPECT_EQ(counter.counts()[Call::epoll_remove], 2u);
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST_F(LawsOfOwnership, P2_CloseBeforeTheMoversAddIsUndoneByTheLastLeaver) {
  settle_in(a, connection);
  Window window;
  sys::FaultPlan faults;
  faults.run(Call::epoll_add, [&](int) { window.hold(); }, {.fd = near.fd()});
  sys::CallCounter counter;
  auto mover = read_in(b);
  window.entered.wait();
  close_during_a_move(near, window);
  EXPECT_EQ(mover.join_uncancellable().error(), Errc::closed);
  EXPECT_EQ(counter.counts()[Call::epoll_remove], 2u);
}

class FailedAdd : public LawsOfOwnership, public testing::WithParamInterface<int> {};

TEST_P(FailedAdd, L10_WithoutAnOwnerItIsTheCallersErrorAndLaterWaitsWork) {
  sys::FaultPlan faults;
  faults.fail(Call::epoll_add, GetParam(), {.fd = near.fd()});
  EXPECT_EQ(read_in(a).join_uncancellable().error(), sys::error_of(GetParam()));
  EXPECT_FALSE(near.owner());
  EXPECT_FALSE(near.awaited(Direction::kRead));
  EXPECT_EQ(a.event_loop_counters().failed_registrations, 1u);
  settle_in(a, connection);
}

TEST_P(FailedAdd, L10_WithAnOwnerTheWaitIsForwarded) {
  settle_in(a, connection);
  sys::FaultPlan faults;
  faults.fail(Call::epoll_add, GetParam(), {.fd = near.fd()});
  auto reader = read_in(b);
  eventually([&] { return near.owner() && near.awaited(Direction::kRead) && faults.applied() == 1; },
             "the wait");
  EXPECT_EQ(near.owner(), loop_id(a));
  connection.far.send("over a");
  EXPECT_EQ(reader.join_uncancellable().value(), "over a");
  EXPECT_EQ(near.counters().transfers, 0u);
  EXPECT_EQ(near.counters().cross_context_wakeups, 1u);
  EXPECT_EQ(b.event_loop_counters().failed_registrations, 1u);
}

TEST_P(FailedAdd, L10_WaitersBehindTheFailedMoveTryForThemselves) {
  Window window;
  sys::FaultPlan faults;
  faults.run(
      Call::epoll_add, [&](int) { window.hold(); }, {.fd = near.fd()}, GetParam());
  auto mover = read_in(b);
  window.entered.wait();
  auto behind = a.spawn([this] { return near.write_until_it_fails(Deadline::after(kPatience)); });
  near.until_awaited(Direction::kWrite);
  window.leave.open();
  EXPECT_EQ(mover.join_uncancellable().error(), sys::error_of(GetParam()));
  eventually([&] { return near.owner() == loop_id(a); }, "a registration by who waited behind");
  EXPECT_TRUE(near.close());
  EXPECT_EQ(behind.join_uncancellable(), Errc::closed);
}

INSTANTIATE_TEST_SUITE_P(Errors, FailedAdd, testing::Values(ENOMEM, ENOSPC));

TEST_F(LawsOfOwnership, L10_AnEdgeThatBeatsAFailedAddIsNotLost) {
  Window window;
  sys::FaultPlan faults;
  faults.run(
      Call::epoll_add, [&](int) { window.hold(); }, {.fd = near.fd()}, ENOMEM);
  auto mover = read_in(b);
  window.entered.wait();
  connection.far.send("data");
  {
    // As an event of a loop that had it before would: the mover's wait is won while its add fails.
    FiberQueue won;
    {
      const std::scoped_lock lock(near.handle.descriptor->lock);
      EXPECT_FALSE(signal_locked(*near.handle.descriptor, {.read = true}, won));
    }
    ASSERT_EQ(won.size(), 1u);
    wake_all(won);
  }
  window.leave.open();
  EXPECT_EQ(mover.join_uncancellable().value(), "data");
}

TEST_F(LawsOfOwnership, L15_WhoWaitsThroughARetiredLoopGoesOnInItsOwn) {
  auto owner = std::make_unique<ConcurrentContext>("owner");
  auto reader = read_in(*owner);
  near.until_awaited(Direction::kRead);
  auto writer = b.spawn([this] { return near.write_until_it_fails(Deadline::after(kPatience)); });
  near.until_awaited(Direction::kWrite);
  ASSERT_EQ(near.owner(), loop_id(*owner));
  owner.reset();
  EXPECT_EQ(reader.join_uncancellable().error(), Errc::cancelled);
  eventually([&] { return near.owner() == loop_id(b); }, "the writer's own loop");
  EXPECT_TRUE(near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
}

TEST_F(LawsOfOwnership, L15_ALoopThatRetiresWaitsForItsLastMover) {
  auto owner = std::make_unique<ConcurrentContext>("owner");
  settle_in(*owner, connection);
  Window window;  // in the delete from the retiring loop's epoll
  sys::FaultPlan faults;
  faults.run(Call::epoll_remove, [&](int) { window.hold(); }, {.fd = near.fd()});
  auto mover = read_in(b);
  window.entered.wait();
  const LoopId retiring = loop_id(*owner);
  std::atomic<bool> gone{false};
  std::thread ends([&] {
    owner.reset();
    gone = true;
  });
  eventually([&] { return !LoopRegistry::instance().alive(retiring); }, "the owner's end");
  EXPECT_FALSE(gone) << "the loop's epoll was closed under the mover";
  window.leave.open();
  ends.join();
  connection.far.send("after");
  EXPECT_EQ(mover.join_uncancellable().value(), "after");
  EXPECT_EQ(near.owner(), loop_id(b));
}

// The add fails while the old owner retires: the descriptor must not be given back to a loop that nobody
// polls.
TEST_F(LawsOfOwnership, L15_AFailedMoveDoesNotGoBackToALoopThatRetires) {
  auto owner = std::make_unique<ConcurrentContext>("owner");
  settle_in(*owner, connection);
  Window window;
  sys::FaultPlan faults;
  faults.run(
      Call::epoll_add, [&](int) { window.hold(); }, {.fd = near.fd()}, ENOMEM);
  auto mover = read_in(b);
  window.entered.wait();
  const LoopId retiring = loop_id(*owner);
  std::thread ends([&] { owner.reset(); });
  eventually([&] { return !LoopRegistry::instance().alive(retiring); }, "the owner's end");
  window.leave.open();
  ends.join();
  EXPECT_EQ(mover.join_uncancellable().error(), sys::error_of(ENOMEM));
  EXPECT_FALSE(near.owner());
  settle_in(b, connection);
}

}  // namespace
}  // namespace weft::test
