// SPDX-License-Identifier: Apache-2.0
// Calls that have nothing to move, buffers that are lent, options that are out of range.
//
// What was wrong: an empty buffer was a BUG for some calls, the first sixteen of several hid the others; a
// lent buffer was kept at the end of the file; negative options were accepted.
#include "stranger/net/streams.hpp"

#include <cerrno>
#include <limits>
#include <optional>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::bytes;
using stranger::Streams;
using weft::Deadline;
using weft::Errc;
using weft::net::TcpStream;

const std::error_code kInvalid(EINVAL, std::system_category());

class Lent final : public weft::BufferSource {
 public:
  explicit Lent(std::size_t size = 64) : bytes_(size, '\0') {}
  std::span<std::byte> take() override {
    held = true;
    return stranger::room(bytes_);
  }
  void give_back() noexcept override { held = false; }
  std::string text(std::size_t size) const { return bytes_.substr(0, size); }

  bool held = false;

 private:
  std::string bytes_;
};

void expect_nothing_moves(TcpStream& stream) {
  const std::span<std::byte> nothing;
  const std::vector<std::span<std::byte>> nothings(20);
  const std::vector<std::span<const std::byte>> no_texts(20);
  EXPECT_EQ(stream.read_some(nothing).value(), 0u);
  EXPECT_EQ(stream.read_some(nothings).value(), 0u);
  EXPECT_EQ(stream.read_some(std::vector<std::span<std::byte>>()).value(), 0u);
  EXPECT_EQ(stream.read_exact(nothing).value(), 0u);
  EXPECT_EQ(stream.write_some(bytes("")).value(), 0u);
  EXPECT_EQ(stream.write_all("").value(), 0u);
  EXPECT_EQ(stream.write_all(no_texts).value(), 0u);
  EXPECT_EQ(stream.write_all(std::vector<std::span<const std::byte>>()).value(), 0u);
  EXPECT_EQ(stream.write_then_read_some(bytes(""), nothing).value(), 0u);
}

TEST(EmptyBuffers, AreMovedAtOnceWhateverTheStateOfTheStream) {
  stranger::in_fiber([] {
    Streams ends;
    expect_nothing_moves(ends.client);  // nothing has come: a read would wait
    stranger::fill(ends.client);
    expect_nothing_moves(ends.client);  // there is no room: a write would wait
    auto waiting = weft::spawn([&] { return ends.client.write_all("x").error(); });
    weft::yield();
    expect_nothing_moves(ends.client);  // another one has the turn
    EXPECT_TRUE(ends.client.close());
    EXPECT_EQ(waiting.join_uncancellable(), Errc::closed);
    expect_nothing_moves(ends.client);
    TcpStream none;
    expect_nothing_moves(none);
  });
}

TEST(EmptyBuffers, TheyAreSkippedAmongOthers) {
  stranger::in_fiber([] {
    Streams ends;
    const std::string text = "0123456789abcdefghij";
    std::vector<std::span<const std::byte>> out(30);
    for (std::size_t i = 0; i < text.size(); ++i) {
      out.push_back(bytes(text).subspan(i, 1));
      out.resize(out.size() + i % 3);
    }
    EXPECT_EQ(ends.client.write_all(out).value(), text.size());
    ASSERT_TRUE(ends.server.wait_readable());
    std::string got(20, '\0');
    std::vector<std::span<std::byte>> in(16);
    in.push_back(stranger::room(got).first(4));
    in.resize(30);
    in.push_back(stranger::room(got).subspan(4));
    std::size_t size = ends.server.read_some(in).value();
    while (size < 20) size += ends.server.read_some(stranger::room(got).subspan(size)).value();
    EXPECT_EQ(got, text);
  });
}

TEST(EmptyBuffers, HalfAnExchangeIsTheOtherHalf) {
  stranger::in_fiber([] {
    Streams ends;
    EXPECT_EQ(ends.client.write_then_read_some(bytes("ask"), {}).value(), 0u);
    EXPECT_EQ(stranger::read_all(ends.server, 3), "ask");
    ASSERT_TRUE(ends.server.write_all("answer"));
    std::string answer(6, '\0');
    const std::size_t size = ends.client.write_then_read_some({}, stranger::room(answer)).value();
    EXPECT_EQ(answer.substr(0, size), std::string("answer").substr(0, size));
    EXPECT_EQ(
        ends.client.write_then_read_some_until({}, stranger::room(answer), {.read = Deadline::after(0ns)})
            .error(),
        size == 6 ? make_error_code(Errc::timed_out) : std::error_code());
  });
}

TEST(LentBuffers, AreGivenBackUnlessBytesWereRead) {
  stranger::in_fiber([] {
    Streams ends;
    Lent source;
    EXPECT_EQ(ends.client.read_some_until(source, Deadline::after(0ns)).error(), Errc::timed_out);
    EXPECT_FALSE(source.held);
    ASSERT_TRUE(ends.server.write_all("x"));
    EXPECT_EQ(ends.client.read_some_until(source, Deadline::never()).value(), 1u);
    EXPECT_TRUE(source.held);
    EXPECT_EQ(source.text(1), "x");
    source.give_back();
    ASSERT_TRUE(ends.server.shutdown(weft::net::ShutdownMode::kWrite));
    EXPECT_EQ(ends.client.read_some_until(source, Deadline::never()).error(), Errc::end_of_file);
    EXPECT_FALSE(source.held);
    EXPECT_EQ(ends.client.write_then_read_some_until(bytes("y"), source, {}).error(), Errc::end_of_file);
    EXPECT_FALSE(source.held);
    EXPECT_TRUE(ends.client.close());
    EXPECT_EQ(ends.client.read_some_until(source, Deadline::never()).error(), Errc::closed);
    EXPECT_FALSE(source.held);
  });
}

TEST(LentBuffers, AnEmptyOneIsNotTheEndOfTheFile) {
  stranger::in_fiber([] {
    Streams ends;
    Lent nothing(0);
    ASSERT_TRUE(ends.server.write_all("x"));
    ASSERT_TRUE(ends.client.wait_readable());
    EXPECT_EQ(ends.client.read_some_until(nothing, Deadline::never()).value(), 0u);
    EXPECT_FALSE(nothing.held);
    EXPECT_EQ(stranger::read_all(ends.client, 1), "x");
  });
}

TEST(Options, OutOfRangeAreRefusedAndChangeNothing) {
  stranger::in_fiber([] {
    Streams ends;
    const int send = ends.client.send_buffer_size().value();
    const int receive = ends.client.receive_buffer_size().value();
    for (const int size : {-1, std::numeric_limits<int>::min()}) {
      EXPECT_EQ(ends.client.set_send_buffer_size(size).error(), kInvalid);
      EXPECT_EQ(ends.client.set_receive_buffer_size(size).error(), kInvalid);
    }
    EXPECT_EQ(ends.client.send_buffer_size().value(), send);
    EXPECT_EQ(ends.client.receive_buffer_size().value(), receive);
    EXPECT_EQ(ends.client.set_linger(-1s).error(), kInvalid);
    EXPECT_EQ(ends.client.set_linger(std::chrono::seconds::min()).error(), kInvalid);
    for (const auto idle : {std::chrono::seconds::min(), -1s, 0s, std::chrono::seconds::max()})
      EXPECT_EQ(ends.client.set_keep_alive(idle).error(), kInvalid) << idle.count();
    for (const auto linger :
         {std::optional<std::chrono::seconds>(), std::optional(std::chrono::seconds::max()),
          std::optional(std::chrono::seconds(1))})
      EXPECT_TRUE(ends.client.set_linger(linger));
    EXPECT_TRUE(ends.client.set_keep_alive(1s));
    EXPECT_TRUE(ends.client.set_keep_alive(std::nullopt));
    EXPECT_TRUE(ends.client.set_send_buffer_size(0)) << "the smallest there is";
    EXPECT_TRUE(ends.client.set_send_buffer_size(std::numeric_limits<int>::max())) << "the largest";
    EXPECT_EQ(weft::net::TcpListener::bind("127.0.0.1:0", {.backlog = -1}).error(), kInvalid);
    EXPECT_TRUE(weft::net::TcpListener::bind("127.0.0.1:0", {.backlog = 0}));
  });
}

}  // namespace
