// SPDX-License-Identifier: Apache-2.0
// A write that is followed by a read (docs/design/write-batch.md), as a whole: the shipping operation over
// the polling loop and a batch. The fiber, once it has left its thread, is woken on another one, while its
// thread flushes the batch, the monitor does, bytes come, and others cancel and close.
#include "event_loop/write_batch/write_batch.hpp"
#include "event_loop/write_batch/write_turn.hpp"
#include "model/bounds.hpp"
#include "model/socket_world.hpp"

#include <weft/buffer_source.hpp>

#include <array>
#include <functional>
#include <span>
#include <system_error>
#include <vector>

namespace weft {
namespace {

using model::kA;

/// One byte, lent for as long as there is something to read.
struct Lent final : BufferSource {
  std::span<std::byte> take() override {
    model::check(!lent, "it was given back before it is taken again");
    lent = true;
    return std::span(&byte, 1);
  }
  void give_back() noexcept override { lent = false; }

  std::byte byte{};
  bool lent = false;
};

/// The socket, and the batch of the thread that fiber 0 begins on.
struct ExchangeWorld : model::SocketWorld {
  explicit ExchangeWorld(model::ModelFibers& used) : SocketWorld(used) {
    // Known to be empty: what comes from now on is an edge.
    Readiness& readiness = handle.descriptor->readiness;
    model::check(readiness.clear(readiness.load(), Direction::kRead), "nothing has come yet");
  }

  /// Fiber 0: two bytes are written, one is read. Its thread is its own until it has left it.
  std::function<void()> exchange(std::function<void(Result<std::size_t>)> then) {
    auto body = fibers.fiber(0, [this, then = std::move(then)] {
      Lent lent;
      const std::array<std::byte, 2> data{};
      this_runner()->event_loop = &a;
      then(Files::write_then_read(handle, data, lent, {}));
      if (!left.load(acquire)) batch.flush();  // it has the thread still
      end();
    });
    fibers.runner(0).writes = &batch;
    fibers.runner(0).on_suspend = [this] {
      fibers.runner(0).writes = nullptr;  // it goes on elsewhere
      left.store(true, release);
    };
    return body;
  }
  /// The thread of fiber 0 when it has nothing else to run.
  void flush() {
    while (!left.load(acquire)) {
      if (ended.load(acquire)) return;
      cpu_relax();
    }
    batch.flush();
  }

  WriteBatch batch;
  Atomic<bool> left{false};
};

/// An answer comes when it likes, also before the question was sent.
void answered(model::ModelFibers& fibers, std::size_t send_at_most) {
  ExchangeWorld world(fibers);
  world.kernel.send_at_most = send_at_most;
  model::run({{"fiber", world.exchange([](const auto& got) { model::check(bool(got), "it gets the byte"); })},
              {"thread", [&] { world.flush(); }},
              {"monitor", [&] { world.batch.flush_from_outside(); }},
              {"network", [&] { world.kernel.receive(); }},
              {"poller", [&] { world.poll(); }}});
  model::check(world.kernel.sent() == 2, "each byte is sent once (B1)");
  world.close();
  world.check_gone();
}

TEST(ModelExchange, B1_EachByteIsSentOnceWhoeverFlushesAndWheneverTheAnswerComes) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(10'000), [&] { answered(fibers, 2); });
}

TEST(ModelExchange, B1_TheRestOfAWriteThatWasCutShortIsSentByItsFiber) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(10'000), [&] { answered(fibers, 1); });
}

/// The write fails, and nothing will ever come.
void refused(model::ModelFibers& fibers, bool with_monitor) {
  ExchangeWorld world(fibers);
  world.kernel.refuse_send = true;
  const auto is_told = [](const Result<std::size_t>& got) {
    model::check(!got && got.error() == std::errc::broken_pipe, "it is told");
  };
  std::vector<model::ThreadBody> threads{{"fiber", world.exchange(is_told)},
                                         {"thread", [&] { world.flush(); }}};
  if (with_monitor) threads.push_back({"monitor", [&] { world.batch.flush_from_outside(); }});
  model::run(threads);
  model::check(world.kernel.sent() == 0, "nothing was sent");
  world.close();
  world.check_gone();
}

TEST(ModelExchange, B3_AFailureIsToldAlthoughThereIsNothingToRead) {
  model::ModelFibers fibers;
  model::expect_holds([&] { refused(fibers, false); });
}

TEST(ModelExchange, B3_SoIsAFailureThatTheMonitorFinds) {
  model::ModelFibers fibers;
  model::expect_holds(model::always_bounded(2), [&] { refused(fibers, true); });
}

TEST(ModelExchange, B2_ACloseACancelRequestAndAnAnswerLeaveNothingHalfWritten) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(10'000), [&] {
    ExchangeWorld world(fibers);
    bool answered = false;
    model::run({{"fiber", world.exchange([&](const auto& got) { answered = bool(got); })},
                {"thread", [&] { world.flush(); }},
                {"monitor", [&] { world.batch.flush_from_outside(); }},
                {"closer", fibers.fiber(1, [&] { world.close(); })},
                {"canceller", [&] { fibers[0].cancel(); }},
                {"network", [&] { world.kernel.receive(); }},
                {"poller", [&] { world.poll(); }}});
    const std::size_t sent = world.kernel.sent();
    model::check(sent == 2 || (sent == 0 && !answered), "all of it, or it never began");
    world.check_gone();
  });
}

/// What a fiber does, retold, with its write queued by `put_off`; the monitor flushes at any time.
void planted(model::ModelFibers& fibers, model::FailureKind kind,
             const std::function<void(ExchangeWorld&, WriteSlot&)>& put_off) {
  model::expect_fails(kind, [&] {
    ExchangeWorld world(fibers);
    world.kernel.refuse_send = kind == model::FailureKind::kDeadlock;
    model::run({{"fiber", fibers.fiber(0,
                                       [&] {
                                         WriteSlot* const slot = world.batch.reserve(2);
                                         slot->fill(*world.handle.descriptor, std::array<std::byte, 2>{});
                                         put_off(world, *slot);
                                       })},
                {"monitor", [&] { world.batch.flush_from_outside(); }}});
  });
}

// Against B3: the write is queued, then the wait begins.
TEST(ModelExchange, PlantedAWriteThatIsQueuedBeforeItsFiberWaitsIsFound) {
  model::ModelFibers fibers;
  planted(fibers, model::FailureKind::kDeadlock, [](ExchangeWorld& world, WriteSlot& slot) {
    world.batch.queue(slot);
    static_cast<void>(world.read_in(world.a));
  });
}

// Against B2: nobody keeps the descriptor open for the write.
TEST(ModelExchange, PlantedAWriteWhoseFiberIsNoUserOfTheDescriptorIsFound) {
  model::ModelFibers fibers;
  planted(fibers, model::FailureKind::kCheck, [](ExchangeWorld& world, WriteSlot& slot) {
    world.batch.queue(slot);
    world.close();
  });
}

// -- the turn to write (docs/design/descriptor.md): each of its bytes is a call of its own ------------------

/// Two bytes of 1, beside the zeros of others.
Result<void> write_piece(model::SocketWorld& world, PollingEventLoop& loop) {
  const std::array<std::byte, 2> data{std::byte{1}, std::byte{1}};
  this_runner()->event_loop = &loop;
  const WriteTurn turn(world.handle, Deadline::never());
  if (!turn) return turn.error();
  for (std::size_t done = 0; done < data.size();) {
    const Result<std::size_t> size =
        Files::write_in_turn(*turn, std::span(data).subspan(done), Deadline::never());
    if (!size) return size.error();
    done += *size;
  }
  return {};
}

TEST(ModelWriteTurn, WT1_APutOffWriteAndAnotherAreTwoPieces) {
  for (const std::size_t send_at_most : {std::size_t{1}, std::size_t{2}}) {
    model::ModelFibers fibers;
    model::expect_holds(model::at_random(10'000), [&] {
      ExchangeWorld world(fibers);
      world.kernel.send_at_most = send_at_most;
      Atomic<bool> written{false};
      model::run(
          {{"fiber", world.exchange([](const auto& got) { model::check(bool(got), "it gets the byte"); })},
           {"thread", [&] { world.flush(); }},
           {"monitor", [&] { world.batch.flush_from_outside(); }},
           {"writer", fibers.fiber(1,
                                   [&] {
                                     model::check(bool(write_piece(world, world.b)), "it has its turn");
                                     written.store(true, release);
                                   })},
           // WT3: the answer comes only when the other one has written.
           {"network",
            [&] {
              while (!written.load(acquire)) cpu_relax();
              world.kernel.receive();
            }},
           {"poller", [&] { world.poll(); }}});
      model::check(world.kernel.sent() == 4 && world.kernel.runs() == 2, "two pieces");
      world.close();
      world.check_gone();
    });
  }
}

TEST(ModelWriteTurn, WT2_TheTurnIsPassedOnToWhoeverStillWaits) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(10'000), [&] {
    model::SocketWorld world(fibers);
    world.kernel.send_at_most = 1;
    std::array<bool, 2> done{};
    std::vector<model::ThreadBody> threads;
    for (std::size_t i = 0; i < 2; ++i) {
      threads.push_back({"writer", fibers.fiber(i, [&, i] {
                           const auto written = write_piece(world, i == 0 ? world.a : world.b);
                           done[i] = bool(written);
                           model::check(written || written.error() == Errc::cancelled, "or it is told");
                         })});
    }
    threads.push_back({"canceller", [&] { fibers[0].cancel(); }});
    model::run(threads);
    const std::size_t expected = (done[0] ? 2u : 0u) + (done[1] ? 2u : 0u);
    model::check(done[1] && world.kernel.sent() == expected, "each piece, or nothing of it");
    world.close();
    world.check_gone();
  });
}

TEST(ModelWriteTurn, L9_CloseEndsThoseWhoWaitForTheTurn) {
  model::ModelFibers fibers;
  model::expect_holds(model::at_random(10'000), [&] {
    model::SocketWorld world(fibers);
    world.kernel.send_at_most = 1;
    const auto write = [&] {
      const auto written = write_piece(world, world.a);
      model::check(written || written.error() == Errc::closed, "or it is told");
    };
    model::run({{"writer", fibers.fiber(0, write)},
                {"other", fibers.fiber(1, write)},
                {"closer", fibers.fiber(2, [&] { world.close(); })}});
    world.check_gone();
  });
}

TEST(ModelWriteTurn, PlantedAWriterWithoutATurnIsFound) {
  model::ModelFibers fibers;
  model::expect_fails(model::at_random(10'000), model::FailureKind::kCheck, [&] {
    model::SocketWorld world(fibers);
    world.kernel.send_at_most = 1;
    const std::array<std::byte, 2> zeros{};
    model::run({{"writer", fibers.fiber(0, [&] { static_cast<void>(write_piece(world, world.a)); })},
                {"without", fibers.fiber(1, [&] {
                   const DescriptorUse use(world.handle);
                   for (int i = 0; i < 2; ++i)
                     static_cast<void>(
                         Files::write_in_turn(*use, std::span(zeros).first(1), Deadline::never()));
                 })}});
    model::check(world.kernel.runs() == 2, "two pieces");
  });
}

}  // namespace
}  // namespace weft
