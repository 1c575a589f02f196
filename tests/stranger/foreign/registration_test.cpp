// SPDX-License-Identifier: Apache-2.0
// io::Registration: a registration that is kept between waits, while its library does what it likes.
#include "stranger/foreign/ends.hpp"

#include <sys/eventfd.h>

#include <cstdint>
#include <utility>

namespace {

using namespace std::chrono_literals;
using stranger::Ends;
using stranger::in_fiber;
using stranger::kEither;
using stranger::kReadable;
using stranger::kWritable;
using weft::Errc;
using weft::io::Interest;
using weft::io::Registration;

TEST(Registration, WaitsAgainAndAgain) {
  in_fiber([] {
    const Ends ends;
    Registration kept;
    EXPECT_FALSE(kept.attached());
    ASSERT_TRUE(kept.attach(ends.ours()));
    EXPECT_TRUE(kept.attached());
    for (int i = 0; i < 3; ++i) {
      auto waiting = weft::spawn([&] { return kept.wait(Interest::kReadable); });
      weft::yield();
      EXPECT_FALSE(waiting.done());
      ends.send("ab");
      EXPECT_EQ(waiting.join().value(), kReadable);
      EXPECT_EQ(ends.receive(1), "a");
      ASSERT_TRUE(kept.attach(ends.ours())) << "the same file: nothing changes";
      EXPECT_EQ(kept.wait(Interest::kReadable).value(), kReadable) << "a part is left";
      EXPECT_EQ(ends.receive(9), "b");
      EXPECT_EQ(kept.wait(Interest::kReadable, 1ms).error(), Errc::timed_out);
    }
    EXPECT_EQ(kept.wait(kEither).value(), kWritable);
  });
}

TEST(Registration, OfNothingIsClosed) {
  in_fiber([] {
    Registration kept;
    EXPECT_EQ(kept.wait(Interest::kReadable).error(), Errc::closed);
    EXPECT_EQ(kept.wait(kEither).error(), Errc::closed);
    EXPECT_EQ(kept.detach().error(), Errc::closed);
    EXPECT_EQ(kept.attach(-1).error(), std::errc::bad_file_descriptor);
    const Ends ends;
    ASSERT_TRUE(kept.attach(ends.ours()));
    EXPECT_EQ(kept.attach(9'999).error(), std::errc::bad_file_descriptor);
    EXPECT_FALSE(kept.attached()) << "the old file is not kept beside the error";
    ASSERT_TRUE(kept.attach(ends.ours()));
    EXPECT_TRUE(kept.detach());
    EXPECT_EQ(kept.wait(Interest::kWritable).error(), Errc::closed);
    EXPECT_EQ(kept.detach().error(), Errc::closed);
  });
}

// What a library does when it connects anew: the number is the same, the file is another one.
TEST(Registration, NeverReportsForAnotherFileOfTheSameNumber) {
  in_fiber([] {
    Ends ends;
    Registration kept;
    ASSERT_TRUE(kept.attach(ends.ours()));
    EXPECT_EQ(kept.wait(Interest::kReadable, 1ms).error(), Errc::timed_out);
    const int number = ends.ours();
    Ends others;
    ASSERT_EQ(::dup2(others.ours(), number), number);
    others.send("x");
    EXPECT_EQ(kept.wait(Interest::kReadable, 1ms).error(), Errc::timed_out) << "that is not the file";
    ASSERT_TRUE(kept.attach(number));
    EXPECT_EQ(kept.wait(Interest::kReadable).value(), kReadable);
    EXPECT_EQ(others.receive(1), "x");
    EXPECT_EQ(kept.wait(Interest::kReadable, 1ms).error(), Errc::timed_out);
  });
}

TEST(Registration, TellsEventfdsApartWhichShareAnInode) {
  in_fiber([] {
    const int first = ::eventfd(0, EFD_CLOEXEC);
    const int second = ::eventfd(1, EFD_CLOEXEC);
    Registration kept;
    ASSERT_TRUE(kept.attach(first));
    EXPECT_EQ(kept.wait(Interest::kReadable, 1ms).error(), Errc::timed_out);
    ASSERT_EQ(::dup2(second, first), first);
    ASSERT_TRUE(kept.attach(first));
    EXPECT_EQ(kept.wait(Interest::kReadable).value(), kReadable);
    ::close(first);
    ::close(second);
  });
}

TEST(Registration, AFileThatItsLibraryHasClosedLivesUntilItIsDetached) {
  in_fiber([] {
    Ends ends;
    Registration kept;
    ASSERT_TRUE(kept.attach(ends.ours()));
    ends.close_ours();
    char byte = 0;
    EXPECT_EQ(::recv(ends.theirs(), &byte, 1, MSG_DONTWAIT), -1) << "not the end yet";
    ends.send("x");
    EXPECT_EQ(kept.wait(Interest::kReadable).value(), kReadable);
    EXPECT_TRUE(kept.detach());
    EXPECT_EQ(::recv(ends.theirs(), &byte, 1, MSG_DONTWAIT), -1);  // a reset: "x" was not read
    EXPECT_EQ(::recv(ends.theirs(), &byte, 1, MSG_DONTWAIT), 0) << "the end";
  });
}

TEST(Registration, DetachingEndsTheWaitsOfOthers) {
  in_fiber([] {
    const Ends ends;
    ends.fill();
    Registration kept;
    ASSERT_TRUE(kept.attach(ends.ours()));
    auto reader = weft::spawn([&] { return kept.wait(Interest::kReadable); });
    auto writer = weft::spawn([&] { return kept.wait(Interest::kWritable); });
    auto either = weft::spawn([&] { return kept.wait(kEither); });
    weft::yield();
    EXPECT_TRUE(kept.detach());
    EXPECT_EQ(reader.join().error(), Errc::closed);
    EXPECT_EQ(writer.join().error(), Errc::closed);
    EXPECT_EQ(either.join().error(), Errc::closed);
    EXPECT_EQ(::fcntl(ends.ours(), F_GETFD), 0) << "the library's own number stays open";
  });
}

TEST(Registration, BothDirectionsByTwoFibersAtOnce) {
  in_fiber([] {
    const Ends ends;
    ends.fill();
    Registration kept;
    ASSERT_TRUE(kept.attach(ends.ours()));
    auto reader = weft::spawn([&] { return kept.wait(Interest::kReadable); });
    auto writer = weft::spawn([&] { return kept.wait(Interest::kWritable); });
    weft::yield();
    ends.send("x");
    EXPECT_EQ(reader.join().value(), kReadable);
    EXPECT_FALSE(writer.done());
    ends.drain_at_peer();
    EXPECT_EQ(writer.join().value(), kWritable);
  });
}

TEST(Registration, IsABranchOfASelect) {
  in_fiber([] {
    const Ends ends;
    ends.fill();
    Registration kept;
    ASSERT_TRUE(kept.attach(ends.ours()));
    int taken = 0;
    EXPECT_TRUE(weft::select(weft::readable(kept, [&] { taken = 1; }),
                             weft::writable(kept, [&] { taken = 2; }), weft::after(1ms, [&] { taken = 3; })));
    EXPECT_EQ(taken, 3);
    ends.send("x");
    EXPECT_TRUE(
        weft::select(weft::readable(kept, [&] { taken = 1; }), weft::writable(kept, [&] { taken = 2; })));
    EXPECT_EQ(taken, 1);
    ends.drain_at_peer();
    EXPECT_TRUE(weft::select(weft::writable(kept, [&] { taken = 2; })));
    EXPECT_EQ(taken, 2);
    Registration none;
    EXPECT_EQ(weft::select(weft::readable(none, [] {})).error(), Errc::closed);
  });
}

TEST(Registration, CanBeMoved) {
  in_fiber([] {
    const Ends ends;
    const Ends others;
    others.send("x");
    Registration first;
    ASSERT_TRUE(first.attach(ends.ours()));
    Registration second(std::move(first));
    EXPECT_FALSE(first.attached());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(second.wait(Interest::kReadable, 1ms).error(), Errc::timed_out);
    ASSERT_TRUE(first.attach(others.ours()));
    second = std::move(first);
    EXPECT_EQ(second.wait(Interest::kReadable).value(), kReadable);
  });
}

// A peer may send urgent data, which no library reads: it must not count, or the waiter would spin.
TEST(Registration, UrgentDataAreNotReadable) {
  in_fiber([] {
    weft::net::TcpListener listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
    weft::net::TcpStream peer = weft::net::TcpStream::connect(listener.local_address().value()).value();
    weft::net::TcpStream accepted = listener.accept().value();
    ASSERT_EQ(::send(peer.native_handle(), "!", 1, MSG_OOB), 1);
    Registration kept;
    ASSERT_TRUE(kept.attach(accepted.native_handle()));
    EXPECT_EQ(kept.wait(Interest::kReadable, 5ms).error(), Errc::timed_out);
    ::shutdown(accepted.native_handle(), SHUT_RD);
    EXPECT_TRUE(kept.wait(kEither).value().readable);
  });
}

}  // namespace
