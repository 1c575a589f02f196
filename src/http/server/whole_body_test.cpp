// SPDX-License-Identifier: Apache-2.0
#include "http/server/whole_body.hpp"

#include <weft/http/limits.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

namespace weft::http::server {
namespace {

void put(WholeBody& body, std::string_view text) {
  while (!text.empty()) {
    const std::span<std::byte> room = body.room();
    const std::size_t size = std::min(room.size(), text.size());
    std::memcpy(room.data(), text.data(), size);
    body.received(size);
    text.remove_prefix(size);
  }
}

TEST(WholeBody, HoldsTheBytesThatCameInPiecesOfAnySize) {
  for (const std::size_t piece : {1u, 7u, 16383u, 16384u, 16385u, 100'000u}) {
    WholeBody body(kUnlimited);
    std::string sent;
    for (char c = 'a'; sent.size() < 200'000; c = c == 'z' ? 'a' : static_cast<char>(c + 1)) {
      put(body, std::string(piece, c));
      sent.append(piece, c);
      if (piece == 1 && sent.size() > 40'000) break;
    }
    EXPECT_TRUE(body.take() == sent) << piece;
  }
}

TEST(WholeBody, TheFirstRoomIsAStepWhateverTheLimit) {
  EXPECT_EQ(WholeBody(kUnlimited).room().size(), WholeBody::kStep);
  EXPECT_EQ(WholeBody(1024 * 1024).room().size(), WholeBody::kStep);
  EXPECT_EQ(WholeBody(3).room().size(), 3u);
}

TEST(WholeBody, TheRoomAtMostDoublesWhatCame) {
  WholeBody body(kUnlimited);
  for (std::size_t came = 0; came < 4'000'000;) {
    const std::size_t size = body.room().size();
    EXPECT_LE(size, std::max(WholeBody::kStep, came));
    body.received(size);
    came += size;
  }
}

TEST(WholeBody, NeverTakesMoreThanItsLimit) {
  for (const std::size_t limit : {1u, 16383u, 16384u, 16385u, 1'000'000u}) {
    WholeBody body(limit);
    std::size_t came = 0;
    for (; !body.full(); came += body.room().size(), body.received(body.room().size())) {
      ASSERT_LE(came + body.room().size(), limit);
    }
    EXPECT_EQ(came, limit);
    const std::string text = body.take();
    EXPECT_EQ(text.size(), limit);
    EXPECT_LE(text.capacity(), std::max(limit, std::size_t{16}));
  }
}

TEST(WholeBody, ALimitOfZeroIsFullFromTheBeginning) {
  WholeBody body(0);
  EXPECT_TRUE(body.full());
  EXPECT_EQ(body.take(), "");
}

}  // namespace
}  // namespace weft::http::server
