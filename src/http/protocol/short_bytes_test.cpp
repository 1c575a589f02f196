// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/short_bytes.hpp"

#include "http/protocol/host_memory.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace weft::http::protocol {
namespace {

constexpr std::size_t kSizes = 150;

std::string text_of(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + 1);
  return text;
}

// On the heap without a byte to spare: AddressSanitizer sees a touch beyond the ends.
std::unique_ptr<char[]> exact_copy(const std::string& text) {
  std::unique_ptr<char[]> bytes(new char[text.size()]);
  text.copy(bytes.get(), text.size());
  return bytes;
}

TEST(ShortBytesTest, ACopyOfAnySizeIsExactAndEndsWhereItSays) {
  for (std::size_t size = 0; size < kSizes; ++size) {
    const std::string text = text_of(size);
    const auto from = exact_copy(text);
    const std::unique_ptr<char[]> to(new char[size]);
    EXPECT_EQ(copy_short(to.get(), {from.get(), size}), to.get() + size);
    EXPECT_EQ(std::string_view(to.get(), size), text);
  }
}

TEST(ShortBytesTest, TextsAreEqualUnlessSomeByteDiffers) {
  for (std::size_t size = 0; size < kSizes; ++size) {
    const std::string text = text_of(size);
    const auto a = exact_copy(text);
    const auto b = exact_copy(text);
    EXPECT_TRUE(equal_short(a.get(), b.get(), size));
    EXPECT_TRUE(equal_bytes(a.get(), b.get(), size));
    for (std::size_t i = 0; i < size; ++i) {
      b[i] = static_cast<char>(b[i] ^ 0x20);
      ASSERT_FALSE(equal_short(a.get(), b.get(), size)) << size << " " << i;
      ASSERT_FALSE(equal_bytes(a.get(), b.get(), size)) << size << " " << i;
      b[i] = a[i];
    }
  }
}

TEST(ShortBytesTest, TheKeyDependsOnEveryByte) {
  for (std::size_t size = 1; size < kSizes; ++size) {
    const std::string text = text_of(size);
    const ShortKey key = key_of(text);
    const auto bytes = exact_copy(text);
    EXPECT_EQ(key_of({bytes.get(), size}).hash, key.hash);
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<char>(bytes[i] ^ 0x40);
      const ShortKey other = key_of({bytes.get(), size});
      ASSERT_NE(other.hash, key.hash) << size << " " << i;
      ASSERT_TRUE(size > 8 || other.tail != key.tail) << size << " " << i;
      bytes[i] = text[i];
    }
  }
}

TEST(HostMemoryTest, KnowsTheLastHostOnlyAndForgetsNoneForOneThatIsTooLong) {
  HostMemory memory;
  EXPECT_TRUE(memory.knows(""));
  EXPECT_FALSE(memory.knows("a"));
  memory.remember("example.org:8080");
  EXPECT_TRUE(memory.knows("example.org:8080"));
  EXPECT_FALSE(memory.knows("example.org:8081"));
  EXPECT_FALSE(memory.knows("example.org:80800"));
  EXPECT_FALSE(memory.knows(""));
  memory.remember(std::string(65, 'a'));
  EXPECT_TRUE(memory.knows("example.org:8080"));
  memory.remember(std::string(64, 'a'));
  EXPECT_TRUE(memory.knows(std::string(64, 'a')));
  EXPECT_FALSE(memory.knows("example.org:8080"));
}

}  // namespace
}  // namespace weft::http::protocol
