// SPDX-License-Identifier: Apache-2.0
#include <weft/net/tcp_listener.hpp>

#include "base/atomic.hpp"
#include "support/any_context.hpp"
#include "support/gate.hpp"
#include "support/tcp.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"

#include <vector>

namespace weft::net {
namespace {

using namespace std::chrono_literals;
using sys::Call;
using test::read_text;

/// One connection through a listener whose accept() fails at first.
void accept_one_through(sys::FaultPlan& faults, Call call, int error, std::uint64_t times) {
  auto listener = TcpListener::bind("127.0.0.1:0").value();
  auto client = TcpStream::connect(listener.local_address().value()).value();
  faults.fail(call, error, {.times = times});
  auto server = listener.accept().value();
  EXPECT_EQ(faults.applied(), times);
  EXPECT_TRUE(client.write_all("x"));
  EXPECT_EQ(read_text(server).value(), "x");
}

class TcpListenerTest : public test::InAnyContext {};

TEST_P(TcpListenerTest, PortZeroTakesAFreeOne) {
  run([] {
    auto one = TcpListener::bind("127.0.0.1:0").value();
    auto two = TcpListener::bind("127.0.0.1:0").value();
    EXPECT_NE(one.local_address().value().port(), 0);
    EXPECT_NE(one.local_address().value().port(), two.local_address().value().port());
  });
}

TEST_P(TcpListenerTest, ATakenAddressIsRefusedUntilItsListenerIsClosed) {
  run([] {
    auto first = TcpListener::bind("127.0.0.1:0").value();
    const SocketAddress address = first.local_address().value();
    EXPECT_EQ(TcpListener::bind(address).error(), sys::error_of(EADDRINUSE));
    EXPECT_TRUE(first.close());
    EXPECT_TRUE(TcpListener::bind(address));
  });
}

TEST_P(TcpListenerTest, WhatIsNoAddressIsRefused) {
  run([] { EXPECT_EQ(TcpListener::bind("nowhere").error(), Errc::invalid_address); });
}

TEST_P(TcpListenerTest, ConnectionsAreAcceptedInTheOrderTheyCame) {
  run([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    std::vector<TcpStream> clients;
    for (int i = 0; i < 5; ++i)
      clients.push_back(TcpStream::connect(listener.local_address().value()).value());
    for (TcpStream& client : clients) {
      EXPECT_EQ(listener.accept().value().peer_address().value(), client.local_address().value());
    }
  });
}

TEST_P(TcpListenerTest, AnAcceptEndsAtItsDeadline) {
  run([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    EXPECT_EQ(listener.accept_until(Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_EQ(listener.accept_until(Deadline::after(-1ms)).error(), Errc::timed_out);
    auto client = TcpStream::connect(listener.local_address().value()).value();
    EXPECT_TRUE(listener.accept());
  });
}

TEST_P(TcpListenerTest, AnAcceptCanBeCancelled) {
  run([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    auto acceptor = spawn([&] { return listener.accept().error(); });
    yield();
    acceptor.cancel();
    EXPECT_EQ(acceptor.join_uncancellable(), Errc::cancelled);
    EXPECT_TRUE(listener.is_open());
  });
}

TEST_P(TcpListenerTest, CloseEndsEveryAccept) {
  run([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    std::vector<JoinHandle<std::error_code>> acceptors;
    for (int i = 0; i < 3; ++i) acceptors.push_back(spawn([&] { return listener.accept().error(); }));
    yield();
    EXPECT_TRUE(listener.close());
    for (auto& acceptor : acceptors) EXPECT_EQ(acceptor.join_uncancellable(), Errc::closed);
    EXPECT_FALSE(listener.is_open());
    EXPECT_EQ(listener.accept().error(), Errc::closed);
    EXPECT_EQ(listener.close().error(), Errc::closed);
    EXPECT_EQ(listener.local_address().error(), Errc::closed);
    EXPECT_EQ(listener.native_handle(), -1);
  });
}

TEST_P(TcpListenerTest, AListenerOfNoSocketFailsEveryCall) {
  run([] {
    TcpListener none;
    EXPECT_FALSE(none.is_open());
    EXPECT_EQ(none.accept().error(), Errc::closed);
    EXPECT_EQ(none.close().error(), Errc::closed);
  });
}

TEST_P(TcpListenerTest, MovingAListenerMovesTheSocketAndAssigningClosesTheOldOne) {
  run([] {
    auto one = TcpListener::bind("127.0.0.1:0").value();
    auto two = TcpListener::bind("127.0.0.1:0").value();
    const SocketAddress first = one.local_address().value();
    const SocketAddress second = two.local_address().value();
    TcpListener moved = std::move(one);
    EXPECT_EQ(moved.local_address().value(), first);
    moved = std::move(two);
    EXPECT_EQ(moved.local_address().value(), second);
    EXPECT_EQ(TcpStream::connect(first).error(), sys::error_of(ECONNREFUSED));
  });
}

INSTANTIATE_TEST_SUITE_P(Contexts, TcpListenerTest, test::all_contexts(), test::kind_name);

// -- what only the kernel's sockets do

class AcceptOfTheKernel : public test::InAnyContext {};

TEST_P(AcceptOfTheKernel, SeveralListenersShareAPort) {
  run([] {
    auto one = TcpListener::bind("127.0.0.1:0", {.reuse_port = true}).value();
    auto two = TcpListener::bind(one.local_address().value(), {.reuse_port = true}).value();
    EXPECT_EQ(one.local_address().value(), two.local_address().value());
    Atomic<int> accepted{0};
    std::vector<JoinHandle<void>> acceptors;
    for (TcpListener* listener : {&one, &two}) {
      acceptors.push_back(spawn([&accepted, listener] {
        while (listener->accept()) ++accepted;
      }));
    }
    std::vector<TcpStream> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(TcpStream::connect(one.local_address().value()).value());
    while (accepted != 8) yield();
    EXPECT_TRUE(one.close());
    EXPECT_TRUE(two.close());
    for (auto& acceptor : acceptors) acceptor.join_uncancellable();
  });
}

// In a process of its own: what others have said counts, too.
TEST(AcceptOfTheKernelDeathTest, AShortageIsSaidWithItsReason) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto accept_through_a_shortage = [] {
    ConcurrentContext("test")
        .spawn([] {
          sys::FaultPlan faults;
          accept_one_through(faults, Call::accept, EMFILE, 1);
        })
        .join_uncancellable();
    std::_Exit(testing::Test::HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(accept_through_a_shortage(), testing::ExitedWithCode(0),
              "weft: accept\\(\\) has to wait: Too many open files; it goes on when there is room again");
}

TEST_P(AcceptOfTheKernel, AShortageIsSaidOnceWaitedForAndSurvived) {
  run([] {
    for (const int error : {EMFILE, ENFILE, ENOMEM, ENOBUFS, ENOSR, ENOSPC, EIO}) {
      testing::internal::CaptureStderr();
      sys::FaultPlan faults;
      sys::CallCounter counter;
      const std::int64_t start = Deadline::after_ns(0).time_ns();
      accept_one_through(faults, Call::accept, error, 3);
      EXPECT_EQ(counter.counts()[Call::accept], 4u) << "no spinning";
      EXPECT_GE(Deadline::after_ns(0).time_ns() - start, 35'000'000) << "5 + 10 + 20 ms";
      const std::string said = testing::internal::GetCapturedStderr();
      EXPECT_EQ(said.find("accept()"), said.rfind("accept()")) << "at most once until it works again";
    }
  });
}

TEST_P(AcceptOfTheKernel, AConnectionThatWasGivenUpIsSkippedAtOnce) {
  run([] {
    for (const int error : {ECONNABORTED, ECONNRESET, ETIMEDOUT, EPROTO, EPERM, EHOSTUNREACH}) {
      sys::FaultPlan faults;
      sys::CallCounter counter;
      accept_one_through(faults, Call::accept, error, 3);
      EXPECT_EQ(counter.counts()[Call::accept], 4u);
    }
  });
}

// Too many watches (fs.epoll.max_user_watches): the listener died of it, and its port stayed open.
TEST_P(AcceptOfTheKernel, AListenerThatMayNotBeWatchedTriesAgain) {
  run([] {
    testing::internal::CaptureStderr();
    sys::FaultPlan faults;
    faults.fail(Call::epoll_add, ENOSPC,
                {.times = 2});  // some strategies register at once, others when they wait
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    auto acceptor = spawn([&] { return listener.accept(); });
    while (faults.applied() < 2) yield();
    auto client = TcpStream::connect(listener.local_address().value()).value();
    auto server = acceptor.join_uncancellable().value();
    EXPECT_TRUE(client.write_all("x"));
    EXPECT_EQ(read_text(server).value(), "x");
    static_cast<void>(testing::internal::GetCapturedStderr());
  });
}

TEST_P(AcceptOfTheKernel, AKernelThatAlwaysSaysAbortedDoesNotMakeItSpin) {
  run([] {
    testing::internal::CaptureStderr();
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    sys::FaultPlan faults;
    sys::CallCounter counter;
    faults.fail(Call::accept, ECONNABORTED, {.times = sys::FaultRange::kAlways});
    EXPECT_EQ(listener.accept_until(Deadline::after(30ms)).error(), Errc::timed_out);
    EXPECT_LE(counter.counts()[Call::accept], 80u);
    static_cast<void>(testing::internal::GetCapturedStderr());
  });
}

TEST_P(AcceptOfTheKernel, APauseEndsByCancellationDeadlineAndClose) {
  run([] {
    testing::internal::CaptureStderr();
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    sys::FaultPlan faults;
    faults.fail(Call::accept, EMFILE, {.times = sys::FaultRange::kAlways});
    EXPECT_EQ(listener.accept_until(Deadline::after(12ms)).error(), Errc::timed_out);
    auto acceptor = spawn([&] { return listener.accept().error(); });
    auto other = spawn([&] { return listener.accept().error(); });
    while (faults.applied() < 6) yield();
    acceptor.cancel();
    EXPECT_EQ(acceptor.join_uncancellable(), Errc::cancelled);
    EXPECT_TRUE(listener.close());
    EXPECT_EQ(other.join_uncancellable(), Errc::closed);
    static_cast<void>(testing::internal::GetCapturedStderr());
  });
}

TEST_P(AcceptOfTheKernel, OtherErrorsOfTheListenerAreTheCallers) {
  run([] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    sys::FaultPlan faults;
    faults.fail(Call::accept, EINVAL);
    EXPECT_EQ(listener.accept().error(), sys::error_of(EINVAL));
  });
}

TEST_P(AcceptOfTheKernel, ErrorsOfBindGiveTheNumberBack) {
  run([] {
    for (const auto& [call, error] : {std::pair(Call::socket, EMFILE), std::pair(Call::set_option, ENOMEM),
                                      std::pair(Call::bind, EACCES), std::pair(Call::listen, EADDRINUSE)}) {
      sys::FaultPlan faults;
      sys::CallCounter counter;
      faults.fail(call, error);
      EXPECT_EQ(TcpListener::bind("127.0.0.1:0").error(), sys::error_of(error));
      EXPECT_EQ(counter.counts()[Call::close], call == Call::socket ? 0u : 1u);
    }
  });
}

TEST_P(AcceptOfTheKernel, ManyFibersOfSeveralContextsAcceptAtOnce) {
  ConcurrentContext other("other");
  run([&] {
    auto listener = TcpListener::bind("127.0.0.1:0").value();
    Atomic<int> accepted{0};
    const auto accept_all = [&] {
      while (listener.accept()) ++accepted;
    };
    std::vector<JoinHandle<void>> acceptors;
    for (int i = 0; i < 3; ++i) {
      acceptors.push_back(spawn(accept_all));
      acceptors.push_back(other.spawn(accept_all));
    }
    for (int i = 0; i < 50; ++i)
      static_cast<void>(TcpStream::connect(listener.local_address().value()).value());
    while (accepted != 50) yield();
    EXPECT_TRUE(listener.close());
    for (auto& acceptor : acceptors) acceptor.join_uncancellable();
  });
}

INSTANTIATE_TEST_SUITE_P(Contexts, AcceptOfTheKernel, test::kernel_contexts(), test::kind_name);

}  // namespace
}  // namespace weft::net
