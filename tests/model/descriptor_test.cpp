// SPDX-License-Identifier: Apache-2.0
// Descriptors (P2, L3, L7, L8, L9; docs/design/descriptor.md): the shipping polling loop with a kernel of one
// socket. A fiber reads in loop B what loop A owns, while bytes come and others close.
#include "base/clock.hpp"
#include "event_loop/descriptor_arena.hpp"
#include "event_loop/descriptor_use.hpp"
#include "event_loop/polling_event_loop.hpp"
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"
#include "model/runtime/kernel.hpp"

#include <mutex>

namespace weft {
namespace {

using model::Kernel;

constexpr std::size_t kA = 0;
constexpr std::size_t kB = 1;

class ModelLoop final : public PollingEventLoop {
 public:
  ModelLoop(Kernel& kernel, std::size_t index, const RegistrationPolicy& policy)
      : PollingEventLoop(policy), kernel_(kernel), index_(index) {}
  ~ModelLoop() override { retire(); }

  /// Plants an error: edges of what the loop does not own go nowhere, against O2.
  bool drops_foreign_edges = false;

 protected:
  Result<void> add(int, std::uint64_t data, Edges) noexcept override { return kernel_.add(index_, data); }
  Result<void> modify(int, std::uint64_t, Edges) noexcept override {
    model::check(false, "only readers wait");
    return {};
  }
  void remove(int) noexcept override { kernel_.remove(index_); }
  std::size_t poll(std::int64_t) noexcept override {
    std::uint64_t data = 0;
    if (!kernel_.take_event(index_, data)) return 0;
    if (drops_foreign_edges && !owns(data)) return 0;
    deliver(data, {.read = true});
    return 1;
  }
  void notify() noexcept override {}

 private:
  bool owns(std::uint64_t data) noexcept {
    Descriptor& descriptor = *DescriptorArena::instance().at(static_cast<std::uint32_t>(data));
    std::scoped_lock locked(descriptor.lock);
    return descriptor.ownership == Ownership::kOwned && descriptor.owner == id();
  }

  Kernel& kernel_;
  const std::size_t index_;
};

/// A socket that loop A owns; under per_wait nobody has it, as nobody waits.
struct World {
  explicit World(model::ModelFibers& used, const RegistrationPolicy& policy = transfer_policy())
      : fibers(used), a(kernel, kA, policy), b(kernel, kB, policy) {
    static const std::int64_t time_ns = 1'000'000'000;
    set_clock_override(&time_ns);
    model::name(kernel, "kernel");
    model::name(a, "loop A");
    model::name(b, "loop B");
    Descriptor& descriptor = *DescriptorArena::instance().allocate(Kernel::kFd, DescriptorKind::kStream);
    model::name(descriptor, "descriptor");
    for (std::size_t i = 0; i < 3; ++i) {
      model::name(fibers[i].word, "word");
      fibers[i].word.reset();
    }
    handle = {&descriptor, descriptor.usage.generation()};
    descriptor.usage.open();
    if (&policy == &per_wait_policy()) return;
    static_cast<void>(kernel.add(kA, std::uint64_t{handle.generation} << 32 | descriptor.index));
    descriptor.ownership = Ownership::kOwned;
    descriptor.owner = a.id();
  }
  ~World() { set_clock_override(nullptr); }

  Result<std::size_t> read_in(PollingEventLoop& loop) {
    return loop.read(handle, std::span(&byte, 1), Deadline::never());
  }
  /// The thread that has the poll duty of both loops.
  void poll() {
    for (;;) {
      const std::uint32_t version = kernel.version.load(acquire);
      for (ModelLoop* loop : {&a, &b}) {
        FiberQueue runnable;
        loop->run(fibers, runnable);
        while (Fiber* fiber = runnable.pop()) fibers.enqueue(*fiber);
      }
      while (kernel.version.load(acquire) == version) {
        if (ended.load(acquire)) return;
        cpu_relax();
      }
    }
  }
  void end() { ended.store(true, release); }
  void close() { model::check(bool(close_descriptor(handle)), "it was open"); }
  /// What holds when the socket has been closed.
  void check_gone() {
    model::check(kernel.closed() == 1, "the number is given back once");
    model::check(!kernel.registered(kA) && !kernel.registered(kB), "no registration is left");
  }

  model::ModelFibers& fibers;
  Kernel kernel;
  ModelLoop a;
  ModelLoop b;
  DescriptorHandle handle;
  Atomic<bool> ended{false};
  std::byte byte{};
};

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
