// SPDX-License-Identifier: Apache-2.0
// The snippets of docs/guide/cancellation.md.
#include <weft/cancel_scope.hpp>
#include <weft/net/peer_scope.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/this_fiber.hpp>
#include <weft/with_timeout.hpp>

#include <gtest/gtest.h>

#include "support/sim_context.hpp"
#include "support/tcp.hpp"

#include <functional>
#include <stop_token>

namespace weft {
namespace {

using namespace std::chrono_literals;

/// A client that never says anything, in virtual time.
template <class Body>
void with_silent_peer(Body body) {
  test::SimContext world("world");
  world
      .spawn([&] {
        test::Streams ends("127.0.0.1:7000");
        body(ends.server, ends.client);
      })
      .join_uncancellable();
}

Result<std::string> ask(net::TcpStream& stream) { return test::read_text(stream); }
bool conversation(net::TcpStream& stream) { return ask(stream).has_value(); }

struct Button {
  void on_click(std::function<void()> action) { click = std::move(action); }
  std::function<void()> click;
};

TEST(CancellationGuide, ATimeLimitForABlock) {
  with_silent_peer([](net::TcpStream& stream, net::TcpStream&) {
    weft::CancelScope scope(2s);
    auto greeting = ask(stream);  // whatever it calls: Errc::timed_out after 2 s
    EXPECT_EQ(greeting.error(), Errc::timed_out);
    EXPECT_EQ(scope.status().error(), Errc::timed_out);
  });
}

TEST(CancellationGuide, ATimeLimitForOneCall) {
  with_silent_peer([](net::TcpStream& stream, net::TcpStream&) {
    auto reply = weft::with_timeout(2s, [&] { return ask(stream); });
    EXPECT_EQ(reply.error(), Errc::timed_out);
  });
}

TEST(CancellationGuide, WhenAClientIsGone) {
  with_silent_peer([](net::TcpStream& stream, net::TcpStream& client) {
    const auto query = [&] {
      EXPECT_TRUE(client.close());
      return sleep(1h);
    };
    weft::net::PeerScope scope(stream);
    auto rows = query();  // Errc::cancelled soon after the peer has closed or reset the connection
    EXPECT_EQ(rows.error(), Errc::cancelled);
    EXPECT_TRUE(stream.wait_closed());
  });
}

TEST(CancellationGuide, StoppingFromOutside) {
  test::SimContext world("world");
  world
      .spawn([] {
        Button button;
        weft::CancelScope scope;
        button.on_click([&] { scope.cancel(); });  // any thread, while the scope lives
        button.click();
        EXPECT_EQ(sleep(1h).error(), Errc::cancelled);
      })
      .join_uncancellable();
}

TEST(CancellationGuide, AStopTokenBindsAnotherFiber) {
  test::SimContext world("world");
  world
      .spawn([] {
        std::stop_source stop;  // any thread may ask it to stop at any time
        auto worker = weft::spawn([token = stop.get_token()] {
          weft::CancelScope scope(token);
          return weft::sleep(1h).error() == weft::Errc::cancelled;
        });
        stop.request_stop();
        EXPECT_TRUE(worker.join().value());
      })
      .join_uncancellable();
}

TEST(CancellationGuide, CleaningUp) {
  with_silent_peer([](net::TcpStream& stream, net::TcpStream& client) {
    const auto goodbye = test::bytes("bye");
    {
      weft::CancelScope scope(weft::Deadline::after(1s));
      if (!conversation(stream)) {
        weft::CancelShield shield(1s);  // limit it: nothing else does
        (void)stream.write_all(goodbye);
      }
    }
    EXPECT_EQ(test::read_text(client).value(), "bye");
  });
}

}  // namespace
}  // namespace weft
