// SPDX-License-Identifier: Apache-2.0
// Batches of datagrams.
#include "udp.hpp"

#include <cstring>
#include <string>
#include <vector>

namespace stranger {
namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::net::ReceiveBatch;
using weft::net::SendBatch;
using weft::net::SocketAddress;
using weft::net::UdpSocket;

TEST(UdpBatch, WhatIsSentTogetherIsReceivedTogether) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    const SocketAddress to = b.local_address().value();
    SendBatch out(8);
    const std::vector<std::string> texts{"one", "", "three", std::string(1400, '4')};
    for (const std::string& text : texts) EXPECT_TRUE(out.add(text, to));
    EXPECT_EQ(out.size(), 4u);
    ASSERT_TRUE(a.send_batch(out));
    EXPECT_TRUE(out.empty());
    ReceiveBatch in(8, 1500);
    EXPECT_TRUE(in.empty());
    ASSERT_EQ(b.receive_batch(in).value(), 4u);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_TRUE(text_of(in.bytes(i)) == texts[i]) << i;
      EXPECT_EQ(in.from(i), a.local_address().value());
      EXPECT_EQ(in.info(i).from, a.local_address().value());
      EXPECT_EQ(in.info(i).size, texts[i].size());
      EXPECT_FALSE(in.info(i).is_truncated());
    }
    EXPECT_EQ(b.receive_batch_until(in, 1ms).error(), Errc::timed_out);
    EXPECT_TRUE(in.empty());
  });
}

TEST(UdpBatch, ItHoldsNoMoreThanItsCapacityAndTheRestStays) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    const std::string letters = "abcdefghi";
    for (const char& letter : letters)
      ASSERT_TRUE(a.send_to(weft::ConstBuffer(&letter, 1), b.local_address().value()));
    ReceiveBatch in(4, 16);
    std::string received;
    std::vector<std::size_t> sizes;
    while (received.size() < letters.size()) {
      sizes.push_back(b.receive_batch(in).value());
      for (std::size_t i = 0; i < in.size(); ++i) received += text_of(in.bytes(i));
    }
    EXPECT_EQ(received, letters);
    EXPECT_EQ(sizes, (std::vector<std::size_t>{4, 4, 1}));
  });
}

TEST(UdpBatch, ATruncatedOneIsTold) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    for (const char* text : {"12345678", "123456789", "1"})
      ASSERT_TRUE(a.send_to(text, b.local_address().value()));
    ReceiveBatch in(4, 8);
    ASSERT_EQ(b.receive_batch(in).value(), 3u);
    EXPECT_FALSE(in.info(0).is_truncated());
    EXPECT_EQ(text_of(in.bytes(1)), "12345678");
    EXPECT_EQ(in.info(1).full_size, 9u);
    EXPECT_TRUE(in.info(1).is_truncated());
    EXPECT_EQ(text_of(in.bytes(2)), "1");
  });
}

TEST(UdpBatch, AFullOneTakesNoMore) {
  in_fiber([] {
    UdpSocket a = udp();
    SendBatch out(2);
    EXPECT_EQ(out.capacity(), 2u);
    EXPECT_TRUE(out.add("1", a.local_address().value()));
    EXPECT_FALSE(out.full());
    EXPECT_TRUE(out.add("2", a.local_address().value()));
    EXPECT_TRUE(out.full());
    EXPECT_FALSE(out.add("3", a.local_address().value()));
    ASSERT_TRUE(a.send_batch(out));
    ASSERT_TRUE(a.send_batch(out)) << "an empty one";
    EXPECT_EQ(next(a).text, "1");
    EXPECT_EQ(next(a).text, "2");
    EXPECT_TRUE(out.add("4", a.local_address().value()));
    out.clear();
    EXPECT_TRUE(out.empty());
    EXPECT_EQ(SendBatch(0).capacity(), 1u);
    EXPECT_EQ(SendBatch(5000).capacity(), 1024u);
    EXPECT_EQ(ReceiveBatch(0, 0).capacity(), 1u);
    EXPECT_EQ(ReceiveBatch(5000, 1).capacity(), 1024u);
  });
}

TEST(UdpBatch, AnErrorIsThatOfTheFirstThatIsLeft) {
  in_fiber([] {
    UdpSocket a = udp();
    UdpSocket b = udp();
    const SocketAddress to = b.local_address().value();
    const std::string too_great(65'508, 'x');
    SendBatch out(4);
    const std::string first = "first";
    const std::string last = "last";
    out.add(first, to);
    out.add(too_great, to);
    out.add(last, to);
    EXPECT_EQ(a.send_batch(out).error(), system_error(EMSGSIZE));
    EXPECT_EQ(out.size(), 2u) << "the first was sent";
    EXPECT_EQ(a.send_batch(out).error(), system_error(EMSGSIZE)) << "it is still the first";
    out.drop_first();
    ASSERT_TRUE(a.send_batch(out));
    EXPECT_EQ(next(b).text, "first");
    EXPECT_EQ(next(b).text, "last");
  });
}

TEST(UdpBatch, AnEchoOfBatchesAnswersEverySender) {
  in_fiber([] {
    UdpSocket server = udp();
    UdpSocket clients[3] = {udp(), udp(), UdpSocket::connect(server.local_address().value()).value()};
    for (int i = 0; i < 2; ++i)
      ASSERT_TRUE(clients[i].send_to("from " + std::to_string(i), server.local_address().value()));
    SendBatch connected(1);
    const std::string third = "from 2";
    connected.add(third);
    ASSERT_TRUE(clients[2].send_batch(connected));
    ReceiveBatch in(8, 64);
    SendBatch out(8);
    ASSERT_EQ(server.receive_batch(in).value(), 3u);
    for (std::size_t i = 0; i < in.size(); ++i) EXPECT_TRUE(out.add_reply(in, i, in.bytes(i)));
    ASSERT_TRUE(server.send_batch(out));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(next(clients[i]).text, "from " + std::to_string(i));
  });
}

TEST(UdpBatch, ARefusalComesFromABatchToo) {
  in_fiber([] {
    UdpSocket client = UdpSocket::connect(udp().local_address().value()).value();
    ReceiveBatch in(4, 64);
    ASSERT_TRUE(client.send("anybody?"));
    EXPECT_EQ(client.receive_batch(in).error(), system_error(ECONNREFUSED));
    EXPECT_EQ(client.receive_batch_until(in, 1ms).error(), Errc::timed_out);
  });
}

TEST(UdpBatch, ManyThousandArriveOnceEach) {
  in_fiber([] {
    constexpr std::uint32_t kCount = 20'000;
    constexpr std::uint32_t kBatch = 32;
    UdpSocket a = udp();
    UdpSocket b = udp();
    const SocketAddress to = b.local_address().value();
    weft::Semaphore window(4 * kBatch);
    auto sender = weft::spawn([&] {
      std::vector<std::uint32_t> numbers(kBatch);
      SendBatch out(kBatch);
      for (std::uint32_t n = 0; n < kCount;) {
        for (std::uint32_t& number : numbers) {
          EXPECT_TRUE(window.acquire());
          number = n++;
          out.add(weft::ConstBuffer(reinterpret_cast<const char*>(&number), sizeof(number)), to);
        }
        EXPECT_TRUE(a.send_batch(out));
      }
    });
    ReceiveBatch in(kBatch, 16);
    std::uint32_t expected = 0;
    while (expected < kCount) {
      const std::size_t count = b.receive_batch(in).value();
      for (std::size_t i = 0; i < count; ++i, ++expected) {
        std::uint32_t number = 0;
        ASSERT_EQ(in.bytes(i).size(), sizeof(number));
        std::memcpy(&number, in.bytes(i).data(), sizeof(number));
        ASSERT_EQ(number, expected);
        window.release();
      }
    }
    sender.join_uncancellable();
  });
}

}  // namespace
}  // namespace stranger
