// SPDX-License-Identifier: Apache-2.0
// Readers, writers, streams and listeners of a user's own where the library takes any.
#include "stranger/io/own.hpp"

#include <functional>
#include <memory>
#include <string>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using stranger::CollectingWriter;
using stranger::ScriptedReader;
using weft::Deadline;
using weft::Errc;
using weft::io::make_pipe;
using weft::io::Pipe;
using weft::net::PeerScope;
using weft::net::Stream;
using weft::net::UnixListener;
using weft::net::UnixStream;

TEST(OwnReader, GetsTheWholeBufferFormsFromItsOneRead) {
  stranger::in_fiber([] {
    ScriptedReader reader;
    reader.then("ab").then("cde");
    char four[4];
    EXPECT_EQ(reader.read_exact(four).value(), 4u);
    EXPECT_EQ(std::string(four, 4), "abcd");
    const auto rest = reader.read_exact(four);
    EXPECT_EQ(rest.bytes(), 1u);
    EXPECT_EQ(rest.error(), Errc::end_of_file);
    EXPECT_EQ(reader.buffered(), 0u);
  });
}

// copy() and BufferedReader lend their memory to the source.
TEST(OwnReader, WaitsWithoutABufferThatWasLent) {
  class Slow final : public weft::io::Reader {
   public:
    explicit Slow(const bool& held) : held_(held) {}
    using Reader::read_some_until;
    weft::Result<std::size_t> read_some_until(weft::MutableBuffer buffer, Deadline) override {
      EXPECT_TRUE(held_);
      buffer.data()[0] = std::byte{'x'};
      return std::size_t{1};
    }
    weft::Result<void> wait_readable(Deadline) override {
      EXPECT_FALSE(held_);
      return {};
    }

   private:
    const bool& held_;
  };
  struct Lent final : weft::BufferSource {
    std::span<std::byte> take() override {
      held = true;
      return bytes;
    }
    void give_back() noexcept override { held = false; }
    std::array<std::byte, 8> bytes{};
    bool held = false;
  };
  stranger::in_fiber([] {
    Lent lent;
    Slow reader(lent.held);
    for (int i = 0; i < 2; ++i)
      EXPECT_EQ(static_cast<weft::io::Reader&>(reader).read_some_until(lent, Deadline::never()).value(), 1u);
    EXPECT_TRUE(lent.held) << "with the byte in it";
  });
}

TEST(OwnWriter, GetsTheWholeBufferFormsFromItsOneWrite) {
  stranger::in_fiber([] {
    CollectingWriter writer(8, 3);
    EXPECT_EQ(writer.write_all("hello").value(), 5u);
    const std::string parts[] = {"ab", "", "cd"};
    const std::span<const std::byte> buffers[] = {std::as_bytes(std::span(parts[0])),
                                                  std::as_bytes(std::span(parts[1])),
                                                  std::as_bytes(std::span(parts[2]))};
    const auto written = writer.write_all(buffers);
    EXPECT_EQ(written.bytes(), 3u);
    EXPECT_EQ(written.error(), stranger::errno_code(ENOSPC));
    EXPECT_EQ(writer.text, "helloabc");
  });
}

TEST(OwnReader, WithoutADescriptorIsReadableForSelectOnlyByItsBuffer) {
  class Remembering final : public weft::io::Reader {
   public:
    using Reader::read_some_until;
    weft::Result<std::size_t> read_some_until(weft::MutableBuffer, Deadline) override {
      return Errc::end_of_file;
    }
    weft::Result<void> wait_readable(Deadline) override { return {}; }
    std::size_t buffered() const noexcept override { return size; }
    std::size_t size = 0;
  };
  stranger::in_fiber([] {
    Remembering reader;
    weft::Result<void> seen;
    const auto look = [&] { weft::select(weft::readable(reader, [&](weft::Result<void> r) { seen = r; })); };
    reader.size = 1;
    look();
    EXPECT_TRUE(seen);
    reader.size = 0;
    look();
    EXPECT_FALSE(seen) << "a select cannot wait for it";
  });
}

/// Answers each call with the same number.
class Wrong final : public weft::io::Reader, public weft::io::Writer {
 public:
  explicit Wrong(std::size_t number) : number_(number) {}
  using Reader::read_some_until;
  weft::Result<std::size_t> read_some_until(weft::MutableBuffer, Deadline) override { return number_; }
  weft::Result<void> wait_readable(Deadline) override { return {}; }
  weft::Result<std::size_t> write_some_until(weft::ConstBuffer, Deadline) override { return number_; }
  weft::Result<void> wait_writable(Deadline) override { return {}; }

 private:
  const std::size_t number_;
};

TEST(OwnTypesDeathTest, ThatMoveNothingOrMoreThanTheyMayAreNamedAsTheBug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const std::string reader_bug = "BUG: an io::Reader has read no bytes, or more than its buffer has room for";
  const std::string writer_bug = "BUG: an io::Writer has written no bytes, or more than it was given";
  for (const std::size_t number : {std::size_t{0}, std::size_t{100'000}}) {
    const auto in_fiber = [&](const std::function<void(Wrong&)>& body) {
      stranger::in_fiber([&] {
        Wrong wrong(number);
        body(wrong);
      });
    };
    char four[4];
    EXPECT_DEATH(in_fiber([&](Wrong& wrong) { wrong.read_exact(four).value(); }), reader_bug);
    EXPECT_DEATH(in_fiber([&](Wrong& wrong) { wrong.write_all("four").value(); }), writer_bug);
    EXPECT_DEATH(in_fiber([&](Wrong& wrong) { weft::io::BufferedReader(wrong).read_line().value(); }),
                 reader_bug);
    EXPECT_DEATH(in_fiber([&](Wrong& wrong) {
                   CollectingWriter all;
                   weft::io::copy(wrong, all).value();
                 }),
                 reader_bug);
  }
}

TEST(OwnTypes, ThatReadAndWriteAreSelectedOverAsEither) {
  stranger::in_fiber([] {
    Wrong duplex(1);
    std::error_code error;
    weft::select(weft::readable(duplex, [&](weft::Result<void> r) { error = r.error(); }));
    EXPECT_TRUE(error);
    weft::select(weft::writable(duplex, [&](weft::Result<void> r) { error = r.error(); }));
    EXPECT_TRUE(error);
  });
}

/// A stream over another one, as one that encrypts is.
class WrappedStream final : public Stream {
 public:
  explicit WrappedStream(UnixStream inner) : inner_(std::move(inner)) {}

  using Stream::read_some_until;
  using Stream::write_all_until;
  weft::Result<std::size_t> read_some_until(weft::MutableBuffer buffer, Deadline deadline) override {
    auto n = inner_.read_some_until(buffer, deadline);
    for (std::size_t i = 0; n && i < *n; ++i) buffer.data()[i] ^= std::byte{0x55};
    return n;
  }
  weft::Result<std::size_t> write_some_until(weft::ConstBuffer data, Deadline deadline) override {
    std::string coded(reinterpret_cast<const char*>(data.data()), data.size());
    for (char& c : coded) c = static_cast<char>(c ^ 0x55);
    return inner_.write_some_until(coded, deadline);
  }
  weft::Result<void> wait_readable(Deadline deadline) override { return inner_.wait_readable(deadline); }
  weft::Result<void> wait_writable(Deadline deadline) override { return inner_.wait_writable(deadline); }
  using Stream::wait_closed;
  weft::Result<void> wait_closed(weft::PeerEnd end, Deadline deadline) override {
    return inner_.wait_closed(end, deadline);
  }
  weft::Result<void> shutdown(weft::net::ShutdownMode mode) override { return inner_.shutdown(mode); }
  weft::Result<void> close() override { return inner_.close(); }
  bool is_open() const noexcept override { return inner_.is_open(); }
  std::string peer_name() const override { return "wrapped " + inner_.peer_name(); }

 private:
  UnixStream inner_;
};

class WrappingListener final : public weft::net::Listener {
 public:
  explicit WrappingListener(UnixListener inner) : inner_(std::move(inner)) {}

  weft::Result<std::unique_ptr<Stream>> accept_stream(Deadline deadline) override {
    auto stream = inner_.accept_until(deadline);
    if (!stream) return stream.error();
    return std::unique_ptr<Stream>(std::make_unique<WrappedStream>(std::move(*stream)));
  }
  weft::Result<std::unique_ptr<Stream>> try_accept_stream() override {
    auto stream = inner_.try_accept();
    if (!stream) return stream.error();
    return std::unique_ptr<Stream>(std::make_unique<WrappedStream>(std::move(*stream)));
  }
  weft::Result<std::unique_ptr<Listener>> duplicate_listener() const override { return Errc::unsupported; }
  weft::Result<void> stop_admitting() override { return Errc::unsupported; }
  weft::Result<void> close() override { return inner_.close(); }
  bool is_open() const noexcept override { return inner_.is_open(); }
  std::string local_name() const override { return inner_.local_name(); }

 private:
  UnixListener inner_;
};

TEST(OwnStream, WritesThenReads) {
  stranger::in_fiber([] {
    auto pair = UnixStream::pair().value();
    WrappedStream near(std::move(pair.first));
    WrappedStream far(std::move(pair.second));
    auto echo = weft::spawn([&] {
      char request[4];
      EXPECT_TRUE(far.read_exact(request));
      EXPECT_TRUE(far.write_all("answer"));
      return std::string(request, 4);
    });
    char room[16];
    EXPECT_EQ(near.write_then_read_some("ping", room).value(), 6u);
    EXPECT_EQ(std::string(room, 6), "answer");
    EXPECT_EQ(echo.join().value(), "ping");
    EXPECT_EQ(near.write_then_read_some("", weft::MutableBuffer()).value(), 0u);
    EXPECT_EQ(
        near.write_then_read_some_until("x", room, {.write = Deadline::never(), .read = Deadline::after(1ms)})
            .error(),
        Errc::timed_out);
    EXPECT_EQ(near.peer_socket_address().error(), Errc::unsupported);
  });
}

// The peer of a stream without a descriptor cannot be watched: that is no reason to end the work for it.
TEST(OwnStream, InAPeerScopeLetsTheWorkGoOn) {
  stranger::in_fiber([] {
    auto pair = UnixStream::pair().value();
    WrappedStream stream(std::move(pair.first));
    PeerScope scope(stream);
    EXPECT_TRUE(scope.status());
    EXPECT_TRUE(weft::sleep(1ms));
    char c;
    EXPECT_TRUE(pair.second.write_all("x"));
    EXPECT_EQ(stream.read_some(weft::MutableBuffer(&c, 1)).value(), 1u);
    EXPECT_TRUE(scope.status());
  });
}

TEST(OwnListener, IsServedByAnHttpServer) {
  stranger::in_fiber([] {
    weft::http::Server server;
    server.get("/", [](const weft::http::Request& request, weft::http::Response& response) {
      EXPECT_TRUE(weft::sleep(1ms)) << "the client is there";
      response.text("hello " + request.peer_name());
    });
    server.post("/", [](const weft::http::Request& request, weft::http::Response& response) {
      const auto body = request.read_all();
      response.text(body ? "got " + *body : body.message());
    });
    auto listener = UnixListener::bind("@weft-test-own-listener-" + std::to_string(::getpid())).value();
    const auto address = listener.local_address().value();
    server.start(std::make_unique<WrappingListener>(std::move(listener))).value();
    WrappedStream client(UnixStream::connect(address).value());
    weft::io::BufferedReader reader(client);
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(client.write_all("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
      EXPECT_EQ(reader.read_line().value(), "HTTP/1.1 200 OK");
      EXPECT_TRUE(reader.read_delimited("\r\n\r\n", 1000));
      EXPECT_EQ(reader.read_exactly(21).value(), "hello wrapped unnamed");
    }
    EXPECT_TRUE(client.write_all("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo"));
    EXPECT_TRUE(client.write_all("dy"));
    EXPECT_EQ(reader.read_line().value(), "HTTP/1.1 200 OK");
    EXPECT_TRUE(reader.read_delimited("\r\n\r\n", 1000));
    EXPECT_EQ(reader.read_exactly(8).value(), "got body");
    EXPECT_TRUE(client.close());
    server.stop();
    EXPECT_TRUE(server.wait());
  });
}

TEST(OwnListener, IsDrainedWithClientsThatAreIdle) {
  stranger::in_fiber([] {
    weft::http::Server server({.idle_timeout = 1h});
    server.get("/", [](const weft::http::Request&, weft::http::Response& response) { response.text("ok"); });
    auto listener = UnixListener::bind("@weft-test-own-drain-" + std::to_string(::getpid())).value();
    const auto address = listener.local_address().value();
    server.start(std::make_unique<WrappingListener>(std::move(listener))).value();
    WrappedStream client(UnixStream::connect(address).value());
    weft::io::BufferedReader reader(client);
    EXPECT_TRUE(client.write_all("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_TRUE(reader.read_delimited("\r\n\r\n", 1000));
    EXPECT_EQ(reader.read_exactly(2).value(), "ok");
    weft::sleep(1100ms);  // after a second of quiet the server waits as long as idle_timeout says
    server.stop(Deadline::never());
    EXPECT_TRUE(server.wait()) << "though the client has not left";
    EXPECT_EQ(reader.read_line().error(), Errc::end_of_file);
  });
}

TEST(OwnListener, ThatCannotBeDuplicatedIsRefusedForSeveralContexts) {
  stranger::in_fiber([] {
    weft::ConcurrentContext one("one");
    weft::ConcurrentContext two("two");
    weft::http::Server server;
    auto listener = UnixListener::bind("@weft-test-no-duplicate-" + std::to_string(::getpid())).value();
    const auto address = listener.local_address().value();
    EXPECT_EQ(
        server.start(std::make_unique<WrappingListener>(std::move(listener)), {.contexts = {&one, &two}})
            .error(),
        Errc::unsupported);
    EXPECT_EQ(UnixStream::connect(address).error(), stranger::errno_code(ECONNREFUSED)) << "it is closed";
  });
}

}  // namespace
