// SPDX-License-Identifier: Apache-2.0
// BufferedWriter: small writes leave together, and no later than a reader waits.
#include "stranger/io/own.hpp"

#include <string>

namespace {

using namespace std::chrono_literals;
using stranger::CollectingWriter;
using stranger::in_fiber;
using stranger::pattern;
using weft::Errc;
using weft::io::BufferedReader;
using weft::io::BufferedWriter;

/// Counts the writes that reach it.
class CountingWriter final : public weft::io::Writer {
 public:
  explicit CountingWriter(weft::io::Writer& sink) : sink_(sink) {}
  weft::Result<std::size_t> write_some_until(weft::ConstBuffer data, weft::Deadline deadline) override {
    ++writes;
    return sink_.write_some_until(data, deadline);
  }
  weft::Result<void> wait_writable(weft::Deadline deadline) override { return sink_.wait_writable(deadline); }

  int writes = 0;

 private:
  weft::io::Writer& sink_;
};

TEST(BufferedWriter, KeepsSmallWritesUntilTheyAreFlushed) {
  in_fiber([] {
    CollectingWriter sink;
    BufferedWriter writer(sink);
    EXPECT_EQ(writer.write_all("one ").value(), 4u);
    EXPECT_EQ(writer.write_some("two").value(), 3u);
    EXPECT_EQ(writer.write_some("").value(), 0u);
    EXPECT_EQ(sink.text, "");
    EXPECT_EQ(writer.buffer(), "one two");
    EXPECT_TRUE(writer.flush());
    EXPECT_EQ(sink.text, "one two");
    EXPECT_EQ(writer.buffer(), "");
    EXPECT_TRUE(writer.flush()) << "of nothing";
    EXPECT_EQ(sink.text, "one two");
  });
}

TEST(BufferedWriter, HoldsItsCapacityAndNotMore) {
  in_fiber([] {
    for (const std::size_t capacity : {0u, 1u, 2u, 7u, 100u}) {
      CollectingWriter sink;
      BufferedWriter writer(sink, capacity);
      std::string written;
      for (std::size_t size = 0; size < 300; ++size) {
        const std::string piece = pattern(size % 13, static_cast<std::uint32_t>(size));
        EXPECT_EQ(writer.write_all(piece).value(), piece.size());
        written += piece;
        EXPECT_LE(writer.buffer().size(), std::max<std::size_t>(capacity, 1));
        ASSERT_EQ(sink.text + std::string(writer.buffer()), written) << "in order";
      }
      EXPECT_TRUE(writer.flush());
      EXPECT_EQ(sink.text, written);
    }
  });
}

TEST(BufferedWriter, FullBufferIsFlushedByTheNextWriteAndLargeDataGoThrough) {
  in_fiber([] {
    CollectingWriter sink;
    BufferedWriter writer(sink, 4);
    EXPECT_TRUE(writer.write_all("abcd"));
    EXPECT_EQ(sink.text, "") << "it fits exactly";
    EXPECT_TRUE(writer.write_all("e"));
    EXPECT_EQ(sink.text, "abcd");
    EXPECT_EQ(writer.buffer(), "e");
    EXPECT_TRUE(writer.write_all("0123456789"));
    EXPECT_EQ(sink.text, "abcde0123456789");
    EXPECT_EQ(writer.buffer(), "");
  });
}

TEST(BufferedWriter, WhatTheSinkHasNotTakenStays) {
  in_fiber([] {
    CollectingWriter sink(5);
    BufferedWriter writer(sink);
    EXPECT_TRUE(writer.write_all("12345678"));
    EXPECT_EQ(writer.flush().error(), std::errc::no_space_on_device);
    EXPECT_EQ(sink.text, "12345");
    EXPECT_EQ(writer.buffer(), "678");
    EXPECT_TRUE(writer.write_all("9")) << "there is room in the buffer";
    EXPECT_EQ(writer.buffer(), "6789");
    const auto large = writer.write_all(pattern(10'000));
    EXPECT_EQ(large.error(), std::errc::no_space_on_device);
    EXPECT_EQ(large.bytes(), 0u);
    EXPECT_EQ(writer.buffer(), "6789");
    writer.discard();
    EXPECT_EQ(writer.buffer(), "");
    EXPECT_TRUE(writer.flush());
  });
}

TEST(BufferedWriter, DestructorDropsTheBuffer) {
  in_fiber([] {
    CollectingWriter sink;
    { EXPECT_TRUE(BufferedWriter(sink).write_all("lost")); }
    EXPECT_EQ(sink.text, "");
  });
}

TEST(BufferedWriter, ATimeoutOrACancellationLosesNoByte) {
  in_fiber([] {
    weft::net::UnixStreamPair pair = weft::net::UnixStream::pair().value();
    const std::string filled = stranger::fill(pair.first);
    BufferedWriter writer(pair.first);
    EXPECT_TRUE(writer.write_all("tail"));
    EXPECT_EQ(writer.flush_until(weft::Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_EQ(writer.buffer(), "tail");
    auto flushing = weft::spawn([&] { return writer.flush(); });
    weft::yield();
    flushing.cancel();
    EXPECT_EQ(flushing.join().error(), Errc::cancelled);
    EXPECT_EQ(writer.buffer(), "tail");
    auto reading = weft::spawn([&] { return stranger::drain(pair.second); });
    EXPECT_TRUE(writer.flush());
    EXPECT_TRUE(pair.first.shutdown(weft::net::ShutdownMode::kWrite));
    EXPECT_EQ(reading.join().value(), filled + "tail");
  });
}

/// Answers each line with "<line>!", and is told by the client what came.
struct LineServer {
  explicit LineServer(weft::net::UnixStream stream) : stream_(std::move(stream)) {}

  weft::Result<void> serve() {
    while (auto line = requests.read_line()) {
      if (const auto sent = answers.write_all(std::string(*line) + "!\n"); !sent) return sent.error();
    }
    return answers.flush();
  }

  weft::net::UnixStream stream_;
  CountingWriter counted{stream_};
  BufferedWriter answers{counted};
  BufferedReader requests{stream_, answers};
};

TEST(BufferedWriter, PipelinedRequestsAreAnsweredByOneWrite) {
  in_fiber([] {
    weft::net::UnixStreamPair pair = weft::net::UnixStream::pair().value();
    std::string sent;
    std::string expected;
    for (int i = 0; i < 100; ++i) {
      sent += std::to_string(i) + "\n";
      expected += std::to_string(i) + "!\n";
    }
    EXPECT_TRUE(pair.second.write_all(sent));
    LineServer server(std::move(pair.first));
    auto serving = weft::spawn([&] { return server.serve(); });
    std::string answer(expected.size(), '\0');
    EXPECT_TRUE(pair.second.read_exact(answer)) << "without a flush of its own";
    EXPECT_EQ(answer, expected);
    EXPECT_EQ(server.counted.writes, 1);
    // A client that waits for its answer gets it, too.
    EXPECT_TRUE(pair.second.write_all("one\n"));
    std::string one(5, '\0');
    EXPECT_TRUE(pair.second.read_exact(one));
    EXPECT_EQ(one, "one!\n");
    EXPECT_EQ(server.counted.writes, 2);
    EXPECT_TRUE(pair.second.write_all("last\n"));
    EXPECT_TRUE(pair.second.shutdown(weft::net::ShutdownMode::kWrite));
    std::string last(6, '\0');
    EXPECT_TRUE(pair.second.read_exact(last));
    EXPECT_EQ(last, "last!\n");
    EXPECT_TRUE(serving.join());
  });
}

TEST(BufferedWriter, EachCallThatReadsFlushesFirstAndItsErrorIsTheCalls) {
  in_fiber([] {
    const auto with = [](auto call) {
      CollectingWriter sink(3);
      BufferedWriter answers(sink);
      stranger::ScriptedReader source({std::string("abc\n")});
      BufferedReader reader(source, answers);
      EXPECT_TRUE(answers.write_all("1"));
      call(reader);
      EXPECT_EQ(sink.text, "1");
      EXPECT_EQ(source.reads, 1);
      reader.consume(reader.buffer().size());
      EXPECT_TRUE(answers.write_all("2345"));
      EXPECT_EQ(reader.read_line().error(), std::errc::no_space_on_device);
      EXPECT_EQ(source.reads, 1) << "nothing was read";
    };
    char some[2];
    with([&](BufferedReader& reader) { EXPECT_EQ(reader.read_line().value(), "abc"); });
    with([&](BufferedReader& reader) { EXPECT_EQ(reader.read_delimited("\n", 9).value(), "abc"); });
    with([&](BufferedReader& reader) { EXPECT_EQ(reader.peek(2).value(), "ab"); });
    with([&](BufferedReader& reader) { EXPECT_EQ(reader.read_exactly(3).value(), "abc"); });
    with([&](BufferedReader& reader) { EXPECT_EQ(reader.read_some(some).value(), 2u); });
    CollectingWriter sink;
    BufferedWriter answers(sink);
    stranger::ScriptedReader source({std::string("abc\n")});
    BufferedReader reader(source, answers);
    EXPECT_TRUE(answers.write_all("1"));
    EXPECT_TRUE(reader.wait_readable());
    EXPECT_EQ(sink.text, "1");
    EXPECT_EQ(reader.read_line().value(), "abc");
    EXPECT_TRUE(answers.write_all("2"));
    EXPECT_EQ(reader.read_line().error(), Errc::end_of_file);
    EXPECT_EQ(sink.text, "12") << "before the end was seen";
  });
}

}  // namespace
