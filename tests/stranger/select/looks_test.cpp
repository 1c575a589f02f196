// SPDX-License-Identifier: Apache-2.0
// A select with otherwise() over streams: it waits for nothing, and yet sees what is there.
//
// What was wrong: the first look that found nothing was the last one that asked the kernel, unless some fiber
// waited for the stream meanwhile.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <functional>
#include <string>

namespace {

using weft::EventLoopStrategy;

constexpr EventLoopStrategy kStrategies[] = {
    EventLoopStrategy::broadcast(),       EventLoopStrategy::dedicated(),   EventLoopStrategy::lifetime(),
    EventLoopStrategy::lifetime_thread(), EventLoopStrategy::pinned(),      EventLoopStrategy::process(),
    EventLoopStrategy::rearm_context(),   EventLoopStrategy::rearm_thread()};

template <class Source>
bool can_read(Source& source) {
  bool can = false;
  weft::select_first(weft::readable(source, [&] { can = true; }), weft::otherwise([] {}));
  return can;
}

template <class Sink>
bool can_write(Sink& sink) {
  bool can = false;
  weft::select_first(weft::writable(sink, [&] { can = true; }), weft::otherwise([] {}));
  return can;
}

// What comes to a registered stream is seen when its event loop has looked, which it does while fibers yield.
void until(const std::function<bool()>& seen) {
  while (!seen()) weft::yield();
}

void in_each_strategy(const std::function<void()>& body) {
  for (const EventLoopStrategy strategy : kStrategies) {
    for (const std::uint32_t threads : {1u, 2u})
      EXPECT_EQ(weft::run({.parallelism = threads, .strategy = strategy}, [&] { body(); }), 0);
  }
}

TEST(SelectLook, SeesWhatComesAfterALookThatFoundNothing) {
  in_each_strategy([] {
    auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
    EXPECT_FALSE(can_read(listener));
    auto client = weft::net::TcpStream::connect(listener.local_address().value()).value();
    until([&] { return can_read(listener); });
    auto server = listener.accept().value();
    EXPECT_FALSE(can_read(server));
    EXPECT_TRUE(can_write(server));
    EXPECT_TRUE(client.write_all("x"));
    until([&] { return can_read(server); });
    EXPECT_TRUE(can_read(server)) << "it takes nothing";
  });
}

TEST(SelectLook, SeesRoomInAPipeThatWasFull) {
  in_each_strategy([] {
    auto pipe = weft::io::make_pipe().value();
    const std::string block(4096, 'f');
    std::size_t written = 0;
    while (can_write(pipe.writer)) written += pipe.writer.write_some(block).value();
    EXPECT_FALSE(can_write(pipe.writer));
    std::string all(written, '\0');
    EXPECT_TRUE(pipe.reader.read_exact(all));
    until([&] { return can_write(pipe.writer); });
  });
}

TEST(SelectLook, SeesWhatComesAfterAWait) {
  in_each_strategy([] {
    auto pair = weft::net::UnixStream::pair().value();
    for (int round = 0; round < 10; ++round) {
      EXPECT_EQ(pair.first.wait_readable(weft::Deadline::after_ns(1000)).error(), weft::Errc::timed_out);
      EXPECT_FALSE(can_read(pair.first));
      EXPECT_TRUE(pair.second.write_all("x"));
      until([&] { return can_read(pair.first); });
      char c;
      EXPECT_EQ(pair.first.read_some(weft::MutableBuffer(&c, 1)).value(), 1u);
    }
  });
}

}  // namespace
