// SPDX-License-Identifier: Apache-2.0
// Descriptors (P2, L3, L7, L8, L9; docs/design/descriptor.md): the shipping polling loop with a kernel of one
// socket. A fiber reads in loop B what loop A owns, while bytes come and others close.
#include "model/bounds.hpp"
#include "model/socket_world.hpp"

namespace weft {
namespace {

using model::kA;
using model::kB;
using World = model::SocketWorld;

/// The edge before the owner: it comes from A, or from B before F has stored the owner.
void byte_during_a_move(model::ModelFibers& fibers, bool drops_foreign_edges) {
  World world(fibers);
  world.a.drops_foreign_edges = world.b.drops_foreign_edges = drops_foreign_edges;
  const auto moves = [&] {
    model::check(bool(world.read_in(world.b)), "it gets the byte");
    world.end();
  };
  model::run({{"mover", fibers.fiber(0, moves)},
              {"network", [&] { world.kernel.receive(); }},
              {"poller", [&] { world.poll(); }}});
  model::check(world.kernel.registered(kA) != world.kernel.registered(kB), "it is registered once (L1)");
  world.close();
  world.check_gone();
}

TEST(ModelDescriptor, P2_AByteThatComesDuringAMoveWakesTheMover) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(2'000), [&] { byte_during_a_move(fibers, false); });
}

TEST(ModelDescriptor, PlantedEdgesThatAreDroppedForTheirOwnerAreFound) {
  model::ModelFibers fibers;
  model::expect_fails(model::at_random(2'000), model::FailureKind::kDeadlock,
                      [&] { byte_during_a_move(fibers, true); });
}

TEST(ModelDescriptor, P2_ACloseDuringAMoveLeavesNoRegistrationBehind) {
  model::ModelFibers fibers;
  model::expect_holds([&] {
    World world(fibers);
    model::run({{"mover", fibers.fiber(0,
                                       [&] {
                                         const auto got = world.read_in(world.b);
                                         model::check(!got && got.error() == Errc::closed, "it is told");
                                       })},
                {"closer", fibers.fiber(1, [&] { world.close(); })}});
    world.check_gone();
  });
}

// L10: the kernel refuses; the old owner keeps the descriptor, and its edges still wake the fiber.
TEST(ModelDescriptor, L10_AFailedMoveIsForwardedToTheOldOwner) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(2'000), [&] {
    World world(fibers);
    world.kernel.refuse_add = true;
    model::run({{"mover", fibers.fiber(0,
                                       [&] {
                                         model::check(bool(world.read_in(world.b)), "it gets the byte");
                                         world.end();
                                       })},
                {"network", [&] { world.kernel.receive(); }},
                {"poller", [&] { world.poll(); }}});
    model::check(world.kernel.registered(kA) && !world.kernel.registered(kB), "where it was");
    world.close();
    world.check_gone();
  });
}

// L4 and L7: two fibers of two contexts, two bytes that may be one edge.
TEST(ModelDescriptor, L4_TwoReadersGetTwoBytesWhateverTheEdges) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(2'000), [&] {
    World world(fibers);
    Atomic<int> left{2};
    const auto read = [&](PollingEventLoop& loop) {
      model::check(bool(world.read_in(loop)), "it gets a byte");
      if (left.fetch_sub(1, acq_rel) == 1) world.end();
    };
    model::run({{"reader in A", fibers.fiber(0, [&] { read(world.a); })},
                {"reader in B", fibers.fiber(1, [&] { read(world.b); })},
                {"network",
                 [&] {
                   world.kernel.receive();
                   world.kernel.receive();
                 }},
                {"poller", [&] { world.poll(); }}});
    world.close();
  });
}

/// Under per_wait: who was woken deletes, while the other comes, or is there already.
void two_readers_per_wait(model::ModelFibers& fibers, std::size_t second) {
  World world(fibers, per_wait_policy());
  Atomic<int> left{2};
  const auto read = [&](PollingEventLoop& loop) {
    model::check(bool(world.read_in(loop)), "it gets a byte");
    if (left.fetch_sub(1, acq_rel) == 1) world.end();
  };
  model::run({{"reader", fibers.fiber(0, [&] { read(world.a); })},
              {"the other", fibers.fiber(1, [&] { read(second == kA ? world.a : world.b); })},
              {"network",
               [&] {
                 world.kernel.receive();
                 world.kernel.receive();
               }},
              {"poller", [&] { world.poll(); }}});
  model::check(!world.kernel.registered(kA) && !world.kernel.registered(kB), "nobody waits");
  world.close();
  world.check_gone();
}

TEST(ModelDescriptor, PerWaitAWaiterThatComesDuringTheDeleteIsRegistered) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(2'000), [&] { two_readers_per_wait(fibers, kA); });
}

TEST(ModelDescriptor, PerWaitAWaiterOfAnotherLoopIsForwardedOrTakesItOver) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(2'000), [&] { two_readers_per_wait(fibers, kB); });
}

/// One reader, and all that can end its wait.
void ended_by_everybody(model::ModelFibers& fibers, const RegistrationPolicy& policy) {
  World world(fibers, policy);
  model::run({{"reader", fibers.fiber(0,
                                      [&] {
                                        static_cast<void>(world.read_in(world.b));
                                        world.end();
                                      })},
              {"closer", fibers.fiber(1, [&] { world.close(); })},
              {"canceller", [&] { fibers[0].cancel(); }},
              {"network", [&] { world.kernel.receive(); }},
              {"poller", [&] { world.poll(); }}});
  world.check_gone();
}

TEST(ModelDescriptor, L9_CloseACancelRequestAndAByteEndAWaitOnce) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(2'000), [&] { ended_by_everybody(fibers, transfer_policy()); });
}

TEST(ModelDescriptor, PerWaitCloseACancelRequestAndAByteLeaveNoRegistrationBehind) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(2'000), [&] { ended_by_everybody(fibers, per_wait_policy()); });
}

}  // namespace
}  // namespace weft
