// SPDX-License-Identifier: Apache-2.0
// Scopes that end with a peer (docs/design/peer-end.md), from the sources that ship: the edge against the end
// of the scope, its first wait, close(), and a fiber that waits for the end.
#include "event_loop/descriptor/peer_watch.hpp"
#include "fiber/cancel_node.hpp"
#include "model/bounds.hpp"
#include "model/socket_world.hpp"

#include <weft/detail/peer_scope_core.hpp>

#include <mutex>

namespace weft {
namespace {

using detail::PeerScopeCore;
using World = model::SocketWorld;

void edge(World& world) { note_peer_end(*world.handle.descriptor, world.handle.generation, PeerEnd::kReset); }

/// Against PE4: the scope is not locked when the descriptor is given back.
void careless_edge(World& world) {
  Descriptor& descriptor = *world.handle.descriptor;
  PeerWatch* watch = nullptr;
  {
    const std::scoped_lock lock(descriptor.lock);
    descriptor.peer.gone = true;
    watch = descriptor.peer_watches.pop_front();
  }
  if (watch != nullptr) watch->scope->end(WaitOutcome::kCancelled);
}

/// A handler that waits once in its scope, until it is cancelled.
void waits_in_scope(World& world) {
  PeerScopeCore scope(world.handle, PeerEnd::kFinished);
  scope.enter();
  Waiter& self = Waiter::current();
  self.begin(WaitWord::Cancellable::kYes);
  model::check(self.wait() == WaitOutcome::kCancelled, "nothing else ends it");
  model::check(scope.ended(), "its scope has ended");
  scope.leave();
}

/// A handler that asks whether it was cancelled, and goes, twice.
void looks_and_leaves(World& world) {
  PeerScopeCore scope(world.handle, PeerEnd::kFinished);
  bool ended = false;
  for (int i = 0; i < 2; ++i) {
    scope.enter();
    const bool now = Waiter::current().cancellation() != WaitOutcome::kReady;
    model::check(now || !ended, "what has ended stays so");
    ended = now;
    scope.leave();
  }
}

void at_home(World& world, model::ModelFibers& fibers) { fibers.runner(0).event_loop = &world.a; }

TEST(ModelPeerWatch, E3_TheEdgeEndsAWaitWheneverItComes) {
  model::ModelFibers fibers;
  model::expect_holds(model::bounded(3), [&] {
    World world(fibers);
    at_home(world, fibers);
    model::run(
        {{"handler", fibers.fiber(0, [&] { waits_in_scope(world); })}, {"poller", [&] { edge(world); }}});
    world.close();
  });
}

TEST(ModelPeerWatch, E1_TheEdgeDoesNotTouchAScopeThatIsGone) {
  model::ModelFibers fibers;
  model::expect_holds(model::bounded(3), [&] {
    World world(fibers);
    at_home(world, fibers);
    model::run(
        {{"handler", fibers.fiber(0, [&] { looks_and_leaves(world); })}, {"poller", [&] { edge(world); }}});
    world.close();
  });
}

TEST(ModelPeerWatch, PlantedEdgesThatDoNotLockTheScopeInTimeAreFound) {
  model::ModelFibers fibers;
  model::expect_fails(model::bounded(3), model::FailureKind::kLifetime, [&] {
    World world(fibers);
    at_home(world, fibers);
    model::run({{"handler", fibers.fiber(0, [&] { looks_and_leaves(world); })},
                {"poller", [&] { careless_edge(world); }}});
    world.close();
  });
}

TEST(ModelPeerWatch, E2_CloseAndTheEdgeEndAScopeOnce) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(2'000), [&] {
    World world(fibers);
    at_home(world, fibers);
    model::run({{"handler", fibers.fiber(0, [&] { waits_in_scope(world); })},
                {"closer", fibers.fiber(1, [&] { world.close(); })},
                {"poller", [&] { edge(world); }}});
    world.check_gone();
  });
}

TEST(ModelPeerWatch, AFiberThatWaitsIsToldOnceByCloseTheEdgeOrACancel) {
  model::ModelFibers fibers;
  model::expect_holds(model::bounded(2), [&] {
    World world(fibers);
    at_home(world, fibers);
    const auto waits = [&] {
      const Result<void> waited = wait_for_peer(world.handle, PeerEnd::kFinished, Deadline::never());
      model::check(waited || waited.error() == Errc::closed, "by the edge, or by close()");
    };
    model::run({{"waiter", fibers.fiber(0, waits)},
                {"closer", fibers.fiber(1, [&] { world.close(); })},
                {"poller", [&] { edge(world); }}});
    world.check_gone();
  });
}

}  // namespace
}  // namespace weft
