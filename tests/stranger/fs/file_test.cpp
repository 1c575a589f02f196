// SPDX-License-Identifier: Apache-2.0
// An open file: values, positions, edges, errors with their paths.
#include "stranger/fs/fs.hpp"

#include <weft/fs/file.hpp>
#include <weft/io/buffered_reader.hpp>
#include <weft/this_fiber.hpp>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace {

using stranger::content;
using stranger::fill;
using stranger::in_fiber;
using stranger::pattern;
using stranger::Place;
using stranger::system_error;
using weft::Errc;
using weft::fs::Access;
using weft::fs::File;

constexpr weft::fs::OpenOptions kNewFile{.access = Access::kReadWrite, .create = true};

std::string read_all(File& file) {
  std::string all;
  char part[1000];
  for (;;) {
    const auto n = file.read_some(part);
    if (!n) {
      EXPECT_EQ(n.error(), Errc::end_of_file);
      return all;
    }
    all.append(part, *n);
  }
}

TEST(File, ReadsWhatWasWrittenFromItsPosition) {
  in_fiber([] {
    const Place place;
    File file = File::open(place / "a", kNewFile).value();
    EXPECT_TRUE(file.is_open());
    EXPECT_GE(file.native_handle(), 0);
    EXPECT_EQ(file.path(), place / "a");
    EXPECT_EQ(file.position(), 0u);
    EXPECT_EQ(file.write_all("hello, ").value(), 7u);
    EXPECT_EQ(file.write_some("world").value(), 5u);
    EXPECT_EQ(file.position(), 12u);
    EXPECT_EQ(content(place / "a"), "hello, world");
    char byte[1];
    EXPECT_EQ(file.read_some(byte).error(), Errc::end_of_file);
    file.set_position(7);
    EXPECT_EQ(read_all(file), "world");
    EXPECT_EQ(file.position(), 12u);
    EXPECT_TRUE(file.wait_readable());
    EXPECT_TRUE(file.wait_writable());
  });
}

TEST(File, ReadsAndWritesAtOffsetsWithoutMoving) {
  in_fiber([] {
    const Place place;
    File file = File::create(place / "a").value();
    EXPECT_EQ(file.pwrite("0123456789", 0).value(), 10u);
    EXPECT_EQ(file.pwrite("XY", 3).value(), 2u);
    EXPECT_EQ(file.position(), 0u);
    char part[4];
    EXPECT_EQ(file.pread(part, 2).value(), 4u);
    EXPECT_EQ(std::string(part, 4), "2XY5");
    EXPECT_EQ(file.pread(part, 8).value(), 2u) << "a short read at the end";
    EXPECT_EQ(file.pread(part, 10).error(), Errc::end_of_file);
    EXPECT_EQ(file.pread(part, std::uint64_t{1} << 40).error(), Errc::end_of_file);
    EXPECT_EQ(file.pread(part, ~std::uint64_t{0}).error(), system_error(EINVAL));
    const auto exact = file.pread_exact(part, 7);
    EXPECT_EQ(exact.bytes(), 3u);
    EXPECT_EQ(exact.error(), Errc::end_of_file);
    EXPECT_EQ(std::string(part, 3), "789");
    EXPECT_EQ(file.position(), 0u);
  });
}

TEST(File, MovesSeveralBuffersInOrder) {
  in_fiber([] {
    const Place place;
    File file = File::create(place / "a").value();
    std::vector<std::string> texts;
    std::string all;
    for (int i = 0; i < 40; ++i) {
      texts.push_back(i % 3 == 0 ? "" : std::to_string(i) + ",");
      all += texts.back();
    }
    std::vector<std::span<const std::byte>> buffers;
    for (const std::string& text : texts) buffers.push_back(std::as_bytes(std::span(text)));
    EXPECT_EQ(file.pwrite(buffers, 5).value(), all.size());
    EXPECT_EQ(content(place / "a"), std::string(5, '\0') + all);
    EXPECT_EQ(file.write_all(buffers).value(), all.size());
    EXPECT_EQ(file.position(), all.size());
    std::array<std::byte, 3> one{};
    std::array<std::byte, 4> two{};
    const std::array<std::span<std::byte>, 3> parts{one, std::span<std::byte>(), two};
    EXPECT_EQ(file.pread(parts, 0).value(), 7u);
    EXPECT_EQ(std::string(reinterpret_cast<char*>(one.data()), 3), all.substr(0, 3));
    EXPECT_EQ(std::string(reinterpret_cast<char*>(two.data()), 4), all.substr(3, 4));
    file.set_position(1);
    EXPECT_EQ(file.read_some(parts).value(), 7u);
    EXPECT_EQ(file.position(), 8u);
    EXPECT_EQ(std::string(reinterpret_cast<char*>(one.data()), 3), all.substr(1, 3));
  });
}

TEST(File, TakesNothingForNothing) {
  in_fiber([] {
    const Place place;
    File file = File::create(place / "a").value();
    EXPECT_EQ(file.read_some(std::span<std::byte>()).value(), 0u);
    EXPECT_EQ(file.pread(std::span<std::byte>(), 7).value(), 0u);
    EXPECT_EQ(file.write_some("").value(), 0u);
    EXPECT_EQ(file.write_all("").value(), 0u);
    EXPECT_EQ(file.pwrite("", 100).value(), 0u);
    EXPECT_EQ(content(place / "a"), "");
    char byte[1];
    EXPECT_EQ(file.read_some(byte).error(), Errc::end_of_file);
  });
}

TEST(File, IsCutAndExtended) {
  in_fiber([] {
    const Place place;
    File file = File::create(place / "a").value();
    EXPECT_TRUE(file.write_all("0123456789"));
    EXPECT_TRUE(file.truncate(3));
    EXPECT_EQ(file.position(), 10u);
    EXPECT_EQ(content(place / "a"), "012");
    EXPECT_TRUE(file.write_all("x")) << "leaves a hole";
    EXPECT_EQ(content(place / "a"), std::string("012") + std::string(7, '\0') + "x");
    EXPECT_TRUE(file.truncate(std::uint64_t{1} << 30));
    const auto status = file.status().value();
    EXPECT_EQ(status.size, std::uint64_t{1} << 30);
    EXPECT_LT(status.allocated, 1u << 20) << "sparse";
    char byte[1] = {'?'};
    EXPECT_EQ(file.pread(byte, 1 << 29).value(), 1u);
    EXPECT_EQ(byte[0], '\0');
    EXPECT_EQ(file.truncate(~std::uint64_t{0}).error(), system_error(EINVAL));
    EXPECT_TRUE(file.sync());
    EXPECT_TRUE(file.sync_data());
  });
}

TEST(File, MovesLargeContent) {
  in_fiber([] {
    const Place place;
    const std::string text = pattern(5'000'001);
    File file = File::create(place / "a").value();
    EXPECT_EQ(file.write_all(text).value(), text.size());
    EXPECT_TRUE(content(place / "a") == text);
    std::string read(text.size(), '\0');
    EXPECT_EQ(file.pread_exact(read, 0).value(), text.size());
    EXPECT_TRUE(read == text);
  });
}

TEST(File, IsAReaderForLines) {
  in_fiber([] {
    const Place place;
    fill(place / "a", "one\r\n\ntwo");
    File file = File::open(place / "a").value();
    weft::io::BufferedReader reader(file);
    EXPECT_EQ(reader.read_line().value(), "one");
    EXPECT_EQ(reader.read_line().value(), "");
    EXPECT_EQ(reader.read_line({.end_optional = true}).value(), "two");
    EXPECT_EQ(reader.read_line().error(), Errc::end_of_file);
  });
}

TEST(File, WorksOnAPlainThread) {
  const Place place;
  File file = File::create(place / "a").value();
  EXPECT_EQ(file.write_all("plain").value(), 5u);
  file.set_position(0);
  EXPECT_EQ(read_all(file), "plain");
  EXPECT_TRUE(file.sync());
  EXPECT_TRUE(file.close());
}

TEST(File, IsReadByManyFibersAtOnce) {
  for (std::uint32_t threads = 1; threads <= 4; threads += 3) {
    in_fiber(
        [] {
          const Place place;
          const std::string text = pattern(64 * 4096);
          fill(place / "a", text);
          File file = File::open(place / "a").value();
          std::vector<weft::JoinHandle<bool>> readers;
          for (std::size_t i = 0; i < 64; ++i) {
            readers.push_back(weft::spawn([&file, &text, i] {
              std::string part(4096, '\0');
              for (int round = 0; round < 20; ++round) {
                if (file.pread_exact(part, i * 4096).bytes() != 4096) return false;
                if (part != text.substr(i * 4096, 4096)) return false;
              }
              return true;
            }));
          }
          for (auto& reader : readers) EXPECT_TRUE(reader.join().value());
        },
        threads);
  }
}

}  // namespace
