// SPDX-License-Identifier: Apache-2.0
// What stands at hand is taken as it is: buffers of any kind of byte, addresses as text, times as durations.
#include "streams.hpp"

#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::Streams;

/// What the other side gets, as a string.
template <class Data>
std::string sent_as(const Data& data) {
  std::string got;
  stranger::in_fiber([&] {
    Streams streams;
    EXPECT_TRUE(streams.client.write_all(data));
    EXPECT_TRUE(streams.client.shutdown(weft::net::ShutdownMode::kWrite));
    char piece[64];
    while (auto n = streams.server.read_some(piece)) got.append(piece, *n);
  });
  return got;
}

/// What is read into `buffer` of "hello", which must have room for it.
template <class Buffer>
void expect_read_into(Buffer& buffer, const void* begin) {
  stranger::in_fiber([&] {
    Streams streams;
    EXPECT_TRUE(streams.client.write_all("hello"));
    EXPECT_EQ(streams.server.read_some(buffer).value(), 5u);
    EXPECT_EQ(std::string_view(static_cast<const char*>(begin), 5), "hello");
  });
}

TEST(PlainBuffers, AreFilledWhateverTheirBytesAreCalled) {
  char chars[16] = {};
  expect_read_into(chars, chars);
  unsigned char unsigned_chars[16] = {};
  expect_read_into(unsigned_chars, unsigned_chars);
  std::byte bytes[16] = {};
  expect_read_into(bytes, bytes);
  std::array<char, 16> array = {};
  expect_read_into(array, array.data());
  std::string text(16, '\0');
  expect_read_into(text, text.data());
  std::vector<char> chars_of_heap(16);
  expect_read_into(chars_of_heap, chars_of_heap.data());
  std::vector<std::uint8_t> octets(16);
  expect_read_into(octets, octets.data());
  const std::span<char> view(chars);
  expect_read_into(view, chars);
}

TEST(PlainBuffers, OfNoBytesReadNothing) {
  stranger::in_fiber([] {
    Streams streams;
    std::string empty;
    EXPECT_EQ(streams.server.read_some(empty).value(), 0u);
  });
}

TEST(PlainBuffers, AreSentWhole) {
  EXPECT_EQ(sent_as(std::string("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_EQ(sent_as(std::string_view("view")), "view");
  EXPECT_EQ(sent_as(std::vector<char>{'v', '\0'}), std::string("v\0", 2));
  EXPECT_EQ(sent_as(std::vector<std::byte>(3, std::byte{'x'})), "xxx");
  EXPECT_EQ(sent_as(std::array<unsigned char, 2>{0, 7}), std::string("\0\7", 2));
  const std::string text = "text";
  EXPECT_EQ(sent_as(std::span(text).first(2)), "te");
}

TEST(PlainBuffers, OfCharAreText) {
  const char* const pointer = "pointer";
  EXPECT_EQ(sent_as(pointer), "pointer");
  EXPECT_EQ(sent_as("literal"), "literal") << "without the NUL at its end";
  char formatted[32];
  std::snprintf(formatted, sizeof(formatted), "%d items", 7);
  EXPECT_EQ(sent_as(formatted), "7 items");
  const char unterminated[3] = {'e', 'n', 'd'};
  EXPECT_EQ(sent_as(unterminated), "end");
  EXPECT_EQ(sent_as(""), "");
}

TEST(PlainBuffers, ThatWereFilledMayBeSent) {
  char bytes[] = {'a', '\0', 'b', 'c'};
  const weft::MutableBuffer filled(bytes);
  const weft::ConstBuffer sent = filled;
  EXPECT_EQ(static_cast<const void*>(sent.data()), bytes);
  EXPECT_EQ(sent.size(), 4u) << "bytes, not text";
  EXPECT_EQ(sent.first(2).size(), 2u);
  EXPECT_EQ(filled.first(3).data(), filled.data());
}

TEST(PlainBuffers, AreTakenByEveryCall) {
  stranger::in_fiber([] {
    Streams streams;
    char four[4];
    EXPECT_EQ(streams.client.write_some("abcd").value(), 4u);
    EXPECT_EQ(streams.server.read_exact(four).value(), 4u);
    EXPECT_EQ(std::string_view(four, 4), "abcd");
    EXPECT_EQ(streams.client.write_some_until(std::string("efgh"), 1h).value(), 4u);
    EXPECT_EQ(streams.server.read_exact_until(four, 1h).value(), 4u);
    EXPECT_EQ(std::string_view(four, 4), "efgh");
    EXPECT_EQ(streams.client.write_all_until("ask", 1h).value(), 3u);
    EXPECT_EQ(streams.server.write_then_read_some("answer", four).value(), 3u);
    EXPECT_EQ(std::string_view(four, 3), "ask");
    EXPECT_EQ(streams.client.write_then_read_some_until("x", four, {.write = 1h, .read = 1h}).value(), 4u);
    EXPECT_EQ(std::string_view(four, 4), "answ");
  });
}

TEST(PlainTimes, AreFromNowWhereADeadlineIsTaken) {
  stranger::in_fiber([] {
    Streams streams;
    char buffer[16];
    EXPECT_EQ(streams.server.read_some_until(buffer, 1ms).error(), weft::Errc::timed_out);
    EXPECT_EQ(streams.server.wait_readable(1ms).error(), weft::Errc::timed_out);
    EXPECT_EQ(streams.listener.accept_until(1ms).error(), weft::Errc::timed_out);
    EXPECT_TRUE(streams.client.write_all("x"));
    EXPECT_EQ(streams.server.read_some_until(buffer, 1h).value(), 1u);
  });
}

TEST(PlainAddresses, AreConnectedTo) {
  stranger::in_fiber([] {
    auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
    const std::string text = listener.local_address().value().to_string();
    auto client = weft::net::TcpStream::connect(text).value();
    auto other = weft::net::TcpStream::connect(text.c_str(), 1h).value();
    EXPECT_EQ(client.peer_address().value().to_string(), text);
    EXPECT_EQ(other.peer_address().value().to_string(), text);
  });
}

TEST(PlainAddresses, ThatAreNoneAreAnError) {
  stranger::in_fiber([] {
    for (const char* const text :
         {"", "localhost", "127.0.0.1", "127.0.0.1:99999", "[::1:80", "example org:80"})
      EXPECT_EQ(weft::net::TcpStream::connect(text).error(), weft::Errc::invalid_address) << text;
  });
}

}  // namespace
