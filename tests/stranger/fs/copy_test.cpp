// SPDX-License-Identifier: Apache-2.0
// io::copy() from files to sockets, pipes and other files, and back.
#include "stranger/fs/fs.hpp"

#include <weft/fs/file.hpp>
#include <weft/io/buffered_reader.hpp>
#include <weft/io/copy.hpp>
#include <weft/io/pipe.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/net/unix_stream.hpp>
#include <weft/this_fiber.hpp>

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::content;
using stranger::fill;
using stranger::in_fiber;
using stranger::pattern;
using stranger::Place;
using stranger::system_error;
using weft::Errc;
using weft::fs::File;
using weft::io::copy;

std::string received(weft::io::Reader& reader) {
  std::string all;
  std::vector<char> part(100'000);
  while (auto n = reader.read_some(part)) all.append(part.data(), *n);
  return all;
}

TEST(CopyOfAFile, ArrivesWholeFromMemoryAndFromTheDisk) {
  for (std::uint32_t threads = 1; threads <= 4; threads += 3) {
    in_fiber(
        [] {
          const Place place;
          for (const std::size_t size : std::vector<std::size_t>{0, 1, 65'536, 3'000'001}) {
            const std::string text = pattern(size);
            fill(place / "f", text);
            for (int round = 0; round < 2; ++round) {
              File file = File::open(place / "f").value();
              if (round == 1) {
                EXPECT_TRUE(file.sync());
                ::posix_fadvise(file.native_handle(), 0, 0, POSIX_FADV_DONTNEED);
              }
              auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
              auto client = weft::net::TcpStream::connect(listener.local_address().value()).value();
              auto server = listener.accept().value();
              auto receiving = weft::spawn([&] { return received(server) == text; });
              const auto copied = copy(file, client);
              EXPECT_EQ(copied.value(), size);
              EXPECT_EQ(file.position(), size);
              EXPECT_TRUE(client.close());
              EXPECT_TRUE(receiving.join().value()) << size;
            }
          }
        },
        threads);
  }
}

TEST(CopyOfAFile, BeginsAtItsPositionAndStopsAtTheLimit) {
  in_fiber([] {
    const Place place;
    fill(place / "f", "0123456789");
    File file = File::open(place / "f").value();
    auto pair = weft::net::UnixStream::pair().value();
    file.set_position(3);
    EXPECT_EQ(copy(file, pair.first, {.size_max = 4}).value(), 4u);
    EXPECT_EQ(file.position(), 7u);
    char text[4];
    EXPECT_TRUE(pair.second.read_exact(text));
    EXPECT_EQ(std::string(text, 4), "3456");
    EXPECT_EQ(copy(file, pair.first).value(), 3u);
    EXPECT_EQ(copy(file, pair.first).value(), 0u);
    weft::io::BufferedReader reader(file);
    file.set_position(0);
    EXPECT_EQ(reader.read_delimited("4", 10).value(), "0123");
    EXPECT_EQ(copy(reader, pair.first).value(), 5u) << "what is buffered comes first";
    char rest[8];
    EXPECT_TRUE(pair.second.read_exact(rest));
    EXPECT_EQ(std::string(rest, 8), "78956789");
  });
}

TEST(CopyOfAFile, GoesToPipesAndFilesAndBack) {
  in_fiber([] {
    const Place place;
    const std::string text = pattern(300'000);
    fill(place / "f", text);
    File file = File::open(place / "f").value();
    File other = File::create(place / "g").value();
    EXPECT_EQ(copy(file, other).value(), text.size());
    EXPECT_TRUE(content(place / "g") == text);
    auto pipe = weft::io::make_pipe().value();
    File back = File::create(place / "h").value();
    auto receiving = weft::spawn([&] { return copy(pipe.reader, back).bytes(); });
    file.set_position(0);
    EXPECT_EQ(copy(file, pipe.writer).value(), text.size());
    EXPECT_TRUE(pipe.writer.close());
    EXPECT_EQ(receiving.join().value(), text.size());
    EXPECT_TRUE(content(place / "h") == text);
    File proc = File::open("/proc/self/comm").value();
    auto pair = weft::net::UnixStream::pair().value();
    EXPECT_EQ(copy(proc, pair.first).value(), content("/proc/self/comm").size());
  });
}

TEST(CopyOfAFile, EndsWithItsDeadlineItsPeerOrItsFile) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  in_fiber([] {
    const Place place;
    const std::string text = pattern(8'000'000);
    fill(place / "f", text);
    File file = File::open(place / "f").value();
    auto slow = weft::net::UnixStream::pair().value();
    const auto timed_out = copy(file, slow.first, {.deadline = 5ms});
    EXPECT_EQ(timed_out.error(), Errc::timed_out);
    EXPECT_EQ(timed_out.bytes(), file.position()) << "nothing is lost";
    auto copying = weft::spawn([&] { return weft::Result<void>(copy(file, slow.first).error()); });
    weft::yield();
    copying.cancel();
    EXPECT_EQ(copying.join().error(), Errc::cancelled);
    EXPECT_TRUE(slow.second.close());
    EXPECT_EQ(copy(file, slow.first).error(), system_error(EPIPE));
    auto pair = weft::net::UnixStream::pair().value();
    EXPECT_TRUE(file.close());
    EXPECT_EQ(copy(file, pair.first).error(), Errc::closed);
    EXPECT_TRUE(pair.second.write_all("x"));
    EXPECT_EQ(copy(pair.first, file).error(), Errc::closed);
  });
  std::signal(SIGPIPE, before);
}

}  // namespace
