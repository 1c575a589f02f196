// SPDX-License-Identifier: Apache-2.0
#include "sys/iovec.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

iovec of(std::string& text) { return to_iovec(std::as_writable_bytes(std::span(text))); }

std::string joined(std::span<const iovec> buffers) {
  std::string text;
  for (const iovec& buffer : buffers) text.append(static_cast<const char*>(buffer.iov_base), buffer.iov_len);
  return text;
}

TEST(Iovec, DropFrontLeavesWhatWasNotMoved) {
  std::string texts[] = {"abc", "", "defg"};
  std::array<iovec, 3> buffers = {of(texts[0]), of(texts[1]), of(texts[2])};
  std::span<iovec> left = drop_front(buffers, 2);
  EXPECT_EQ(joined(left), "cdefg");
  left = drop_front(left, 1);
  EXPECT_EQ(joined(left), "defg");
  EXPECT_EQ(left.size(), 1u) << "empty buffers are dropped";
  left = drop_front(left, 4);
  EXPECT_TRUE(left.empty());
}

TEST(Iovec, DropFrontOfNothingDropsEmptyBuffersOnly) {
  std::string texts[] = {"", "", "x"};
  std::array<iovec, 3> buffers = {of(texts[0]), of(texts[1]), of(texts[2])};
  EXPECT_EQ(drop_front(buffers, 0).size(), 1u);
}

TEST(Iovec, DropFrontInAnyStepsVisitsEveryByteOnce) {
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> texts(random() % 6);
    for (std::string& text : texts) {
      for (std::size_t i = random() % 5; i > 0; --i) text += static_cast<char>('a' + random() % 26);
    }
    std::vector<iovec> buffers;
    for (std::string& text : texts) buffers.push_back(of(text));
    std::string expected = joined(buffers);
    std::span<iovec> left = buffers;
    while (!expected.empty()) {
      const std::size_t step = random() % (expected.size() + 1);
      left = drop_front(left, step);
      expected.erase(0, step);
      ASSERT_EQ(joined(left), expected);
      ASSERT_EQ(total_size(left), expected.size());
    }
  }
}

TEST(IovecDeathTest, AdvancingPastTheEndIsABug) {
  std::string text = "abc";
  std::array<iovec, 1> buffers = {of(text)};
  EXPECT_DEATH(static_cast<void>(drop_front(buffers, 4)),
               "BUG: advanced past the end of the buffers \\(size=1\\)");
}

TEST(ShortenedBuffers, KeepsWhatOneCallTakes) {
  std::string text = "a";
  const std::vector<iovec> many(kBuffersMax + 5, of(text));
  const ShortenedBuffers all(many, std::numeric_limits<std::size_t>::max());
  EXPECT_EQ(all.count(), static_cast<int>(kBuffersMax));
}

TEST(ShortenedBuffers, CutsToTheFirstBytes) {
  std::string texts[] = {"", "abc", "def"};
  const std::array<iovec, 3> buffers = {of(texts[0]), of(texts[1]), of(texts[2])};
  const ShortenedBuffers cut(buffers, 2);
  EXPECT_EQ(joined({cut.data(), static_cast<std::size_t>(cut.count())}), "ab");
}

}  // namespace
}  // namespace weft::sys
