// SPDX-License-Identifier: Apache-2.0
// No call allocates, as datagram_batch.hpp says. The sanitizers bring an operator new of their own: there
// nothing is counted.
#include "udp.hpp"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COUNTS_ALLOCATIONS 0
#endif
#endif
#ifndef COUNTS_ALLOCATIONS
#define COUNTS_ALLOCATIONS 1
#endif

#if COUNTS_ALLOCATIONS

namespace {

/// Of the calling thread: others of the library allocate now and then.
thread_local std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace stranger {
namespace {

TEST(DatagramAllocations, NoCallMakesOneNotEvenOneThatWaits) {
  in_fiber([] {
    weft::net::UdpSocket a = udp();
    weft::net::UdpSocket b = udp();
    const weft::net::SocketAddress to = b.local_address().value();
    weft::net::SendBatch out(16);
    weft::net::ReceiveBatch in(16, 1500);
    char buffer[16];
    const auto exchange = [&] {
      for (int i = 0; i < 16; ++i) EXPECT_TRUE(out.add("batch", to));
      EXPECT_TRUE(a.send_batch(out));
      EXPECT_EQ(b.receive_batch(in).value(), 16u);
      EXPECT_TRUE(a.send_to("single", to));
      EXPECT_EQ(b.receive_from(buffer).value().size, 6u);
      EXPECT_EQ(b.receive_batch_until(in, std::chrono::milliseconds(1)).error(), weft::Errc::timed_out);
    };
    exchange();  // the first wait registers
    const std::size_t before = allocations;
    for (int i = 0; i < 20; ++i) exchange();
    EXPECT_EQ(allocations, before);
  });
}

}  // namespace
}  // namespace stranger

#endif
