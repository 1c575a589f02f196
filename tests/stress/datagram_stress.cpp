// SPDX-License-Identifier: Apache-2.0
// A million datagrams over loopback: two fibers send on one socket, by batches and one by one; two of another
// context receive on another, likewise; a third one of it is cancelled again and again while it receives. A
// window bounds what is on its way, so the kernel drops nothing: each number comes exactly once.
#include "base/sanitizers.hpp"

#include <weft/execution_context.hpp>
#include <weft/net/udp_socket.hpp>
#include <weft/semaphore.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "base/atomic.hpp"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <span>
#include <tuple>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using Number = std::uint32_t;

constexpr Number kCount = WEFT_ASAN || WEFT_TSAN ? 100'000 : 1'000'000;
constexpr Number kBatch = 16;
constexpr std::size_t kWindow = 128;

ConstBuffer bytes_of(const Number& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

class Flood {
 public:
  void send_batches() {
    std::vector<Number> numbers(kBatch);
    net::SendBatch batch(kBatch);
    for (Number first = 0; first < kCount / 2; first += kBatch) {
      for (Number i = 0; i < kBatch; ++i) {
        EXPECT_TRUE(window_.acquire());
        numbers[i] = first + i;
        batch.add(bytes_of(numbers[i]), to_);
      }
      EXPECT_TRUE(sender_.send_batch(batch));
    }
  }

  void send_singles() {
    for (Number number = kCount / 2; number < kCount; ++number) {
      EXPECT_TRUE(window_.acquire());
      EXPECT_TRUE(sender_.send_to(bytes_of(number), to_));
    }
  }

  /// Until the socket is closed.
  void receive_batches() {
    net::ReceiveBatch batch(kBatch, sizeof(Number));
    while (receiver_.receive_batch(batch))
      for (std::size_t i = 0; i < batch.size(); ++i) note(batch.bytes(i));
  }

  /// Until the socket is closed or the fiber cancelled.
  void receive_singles() {
    Number number = 0;
    while (receiver_.receive_from(MutableBuffer(reinterpret_cast<char*>(&number), sizeof(number))))
      note(std::as_bytes(std::span(&number, 1)));
  }

  void wait_for_all() const {
    while (left_.load() != 0) std::ignore = sleep(1ms);
  }
  bool done() const { return left_.load() == 0; }
  void close() {
    EXPECT_TRUE(receiver_.close());
    EXPECT_TRUE(sender_.close());
  }
  void open() {
    receiver_ = net::UdpSocket::bind("127.0.0.1:0").value();
    sender_ = net::UdpSocket::bind("127.0.0.1:0").value();
    to_ = receiver_.local_address().value();
  }
  void expect_each_once() const {
    for (const Atomic<std::uint8_t>& times : seen_) ASSERT_EQ(times.load(), 1);
  }

 private:
  void note(std::span<const std::byte> bytes) {
    Number number = 0;
    ASSERT_EQ(bytes.size(), sizeof(number));
    std::memcpy(&number, bytes.data(), sizeof(number));
    ASSERT_LT(number, kCount);
    seen_[number].fetch_add(1);
    left_.fetch_sub(1);
    window_.release();
  }

  net::UdpSocket sender_;
  net::UdpSocket receiver_;
  net::SocketAddress to_;
  Semaphore window_{kWindow};
  std::vector<Atomic<std::uint8_t>> seen_ = std::vector<Atomic<std::uint8_t>>(kCount);
  Atomic<Number> left_{kCount};
};

TEST(DatagramStress, AMillionArriveOnceEach) {
  ConcurrentContext sending("sending");
  ParallelContext receiving("receiving", {.parallelism = 2});
  Flood flood;
  sending.spawn([&] { flood.open(); }).join_uncancellable();
  const auto start = std::chrono::steady_clock::now();
  auto batches = receiving.spawn([&] { flood.receive_batches(); });
  auto singles = receiving.spawn([&] { flood.receive_singles(); });
  auto cancelled = receiving.spawn([&] {
    for (int turns = 0; !flood.done(); ++turns) {
      auto receiver = spawn([&] { flood.receive_singles(); });
      std::ignore = sleep(std::chrono::microseconds(turns % 500));
      receiver.cancel();
      receiver.join_uncancellable();
    }
  });
  auto sender1 = sending.spawn([&] { flood.send_batches(); });
  auto sender2 = sending.spawn([&] { flood.send_singles(); });
  sender1.join_uncancellable();
  sender2.join_uncancellable();
  sending.spawn([&] { flood.wait_for_all(); }).join_uncancellable();
  cancelled.join_uncancellable();
  sending.spawn([&] { flood.close(); }).join_uncancellable();
  batches.join_uncancellable();
  singles.join_uncancellable();
  flood.expect_each_once();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%u datagrams in %.1f s\n", kCount, took.count());
}

}  // namespace
}  // namespace weft
