// SPDX-License-Identifier: Apache-2.0
// Open files that are passed over Unix sockets.
#include "udp.hpp"

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

namespace stranger {
namespace {

using namespace std::chrono_literals;
using weft::Errc;
using weft::io::FileDescriptor;
using weft::net::PassedFiles;
using weft::net::UnixDatagram;
using weft::net::UnixStream;

std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

/// The ends of a pipe of the system.
struct RawPipe {
  RawPipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader = FileDescriptor(ends[0]);
    writer = FileDescriptor(ends[1]);
  }
  FileDescriptor reader;
  FileDescriptor writer;
};

TEST(PassedFiles, AFilePassedOverAStreamIsTheSameFile) {
  in_fiber([] {
    auto pair = UnixStream::pair().value();
    RawPipe pipe;
    const int sent[] = {pipe.writer.get()};
    EXPECT_EQ(pair.first.send_with_files("take this", sent).value(), 9u);
    PassedFiles files;
    char buffer[32];
    EXPECT_EQ(pair.second.receive_with_files(buffer, files).value(), 9u);
    ASSERT_EQ(files.size(), 1u);
    EXPECT_FALSE(files.truncated());
    EXPECT_NE(files[0], pipe.writer.get());
    EXPECT_NE(::fcntl(files[0], F_GETFD) & FD_CLOEXEC, 0) << "no child process inherits it";
    FileDescriptor writer = files.take(0);
    EXPECT_EQ(files[0], -1);
    EXPECT_EQ(::write(writer.get(), "hello", 5), 5);
    EXPECT_EQ(::read(pipe.reader.get(), buffer, 5), 5);
    EXPECT_EQ(std::string(buffer, 5), "hello");
  });
}

TEST(PassedFiles, ADatagramCarriesThemToo) {
  in_fiber([] {
    auto pair = UnixDatagram::pair().value();
    RawPipe pipe;
    const int sent[] = {pipe.reader.get(), pipe.writer.get()};
    ASSERT_TRUE(pair.first.send_with_files("two", sent));
    ASSERT_TRUE(pair.first.send("none"));
    PassedFiles files;
    char buffer[32];
    EXPECT_EQ(pair.second.receive_with_files(buffer, files).value().size, 3u);
    EXPECT_EQ(files.size(), 2u);
    EXPECT_EQ(pair.second.receive_with_files(buffer, files).value().size, 4u);
    EXPECT_TRUE(files.empty()) << "the earlier ones are closed";
  });
}

TEST(PassedFiles, AStreamStopsBehindTheirBytes) {
  in_fiber([] {
    auto pair = UnixStream::pair().value();
    RawPipe pipe;
    const int sent[] = {pipe.reader.get()};
    ASSERT_TRUE(pair.first.write_all("before"));
    EXPECT_EQ(pair.first.send_with_files("with", sent).value(), 4u);
    ASSERT_TRUE(pair.first.write_all("after"));
    PassedFiles files;
    std::string text;
    std::string with_files;
    while (text.size() < 15) {
      char buffer[64];
      const std::size_t size = pair.second.receive_with_files(buffer, files).value();
      text.append(buffer, size);
      if (!files.empty()) with_files = text;
    }
    EXPECT_EQ(text, "beforewithafter");
    EXPECT_EQ(with_files, "beforewith") << "the read that got them ended there";
    ASSERT_TRUE(pair.first.close());
    char buffer[4];
    EXPECT_EQ(pair.second.receive_with_files(buffer, files).error(), Errc::end_of_file);
    EXPECT_EQ(pair.second.receive_with_files(weft::MutableBuffer(), files).value(), 0u);
  });
}

TEST(PassedFiles, AsManyAsAMessageCarriesAndOneMore) {
  in_fiber([] {
    auto pair = UnixDatagram::pair().value();
    RawPipe pipe;
    const std::vector<int> most(PassedFiles::kFilesMax, pipe.reader.get());
    const std::vector<int> more(PassedFiles::kFilesMax + 1, pipe.reader.get());
    EXPECT_EQ(pair.first.send_with_files("x", more).error(), system_error(EINVAL));
    const std::size_t before = open_files();
    PassedFiles files;
    char buffer[4];
    ASSERT_TRUE(pair.first.send_with_files("x", most));
    EXPECT_EQ(pair.second.receive_with_files(buffer, files).value().size, 1u);
    EXPECT_EQ(files.size(), PassedFiles::kFilesMax);
    EXPECT_FALSE(files.truncated());
    EXPECT_EQ(open_files(), before + PassedFiles::kFilesMax);
    files.clear();
    EXPECT_EQ(open_files(), before);
  });
}

TEST(PassedFiles, AHostileSenderLeavesNoFileOpen) {
  in_fiber([] {
    auto pair = UnixDatagram::pair().value();
    auto streams = UnixStream::pair().value();
    RawPipe pipe;
    const std::vector<int> many(PassedFiles::kFilesMax, pipe.reader.get());
    const std::size_t before = open_files();
    char buffer[4];
    for (const std::size_t wanted : std::array<std::size_t, 4>{0, 1, 2, 3}) {
      PassedFiles few(wanted);
      ASSERT_TRUE(pair.first.send_with_files("x", many));
      ASSERT_TRUE(pair.second.receive_with_files(buffer, few));
      EXPECT_EQ(few.size(), wanted) << "an odd number, too: not one more";
      EXPECT_TRUE(few.truncated());
      EXPECT_EQ(open_files(), before + wanted);
      ASSERT_TRUE(streams.first.send_with_files("x", many));
      ASSERT_TRUE(streams.second.receive_with_files(buffer, few));
      EXPECT_EQ(few.size(), wanted);
      EXPECT_TRUE(few.truncated());
      EXPECT_EQ(open_files(), before + wanted);
    }
    ASSERT_TRUE(pair.first.send_with_files("x", many));
    ASSERT_TRUE(pair.second.receive_from(buffer)) << "nobody wants them";
    ASSERT_TRUE(streams.first.send_with_files("x", many));
    ASSERT_TRUE(streams.second.read_some(buffer));
    EXPECT_EQ(open_files(), before);
  });
}

TEST(PassedFiles, OneMoreThanIsWantedIsTold) {
  in_fiber([] {
    auto pair = UnixDatagram::pair().value();
    RawPipe pipe;
    char buffer[4];
    for (std::size_t wanted = 0; wanted < 6; ++wanted) {
      PassedFiles files(wanted);
      const std::vector<int> exactly(wanted, pipe.reader.get());
      const std::vector<int> more(wanted + 1, pipe.reader.get());
      ASSERT_TRUE(pair.first.send_with_files("x", exactly));
      ASSERT_TRUE(pair.second.receive_with_files(buffer, files));
      EXPECT_EQ(files.size(), wanted);
      EXPECT_FALSE(files.truncated());
      ASSERT_TRUE(pair.first.send_with_files("x", more));
      ASSERT_TRUE(pair.second.receive_with_files(buffer, files));
      EXPECT_EQ(files.size(), wanted);
      EXPECT_TRUE(files.truncated()) << "not one is lost without a word";
    }
  });
}

TEST(PassedFiles, MistakesAreErrorsAndSendNothing) {
  in_fiber([] {
    auto pair = UnixStream::pair().value();
    const int bad[] = {-1};
    const int good[] = {0};
    EXPECT_EQ(pair.first.send_with_files("x", bad).error(), system_error(EBADF));
    EXPECT_EQ(pair.first.send_with_files("", good).error(), system_error(EINVAL)) << "they need a byte";
    PassedFiles files;
    char buffer[4];
    EXPECT_EQ(pair.second.receive_with_files(buffer, files, 1ms).error(), Errc::timed_out);
    UnixStream none;
    EXPECT_EQ(none.send_with_files("x", good).error(), Errc::closed);
    EXPECT_EQ(none.receive_with_files(buffer, files).error(), Errc::closed);
  });
}

TEST(PassedFiles, ThePeersProcessIsKnown) {
  in_fiber([] {
    auto pair = UnixStream::pair().value();
    EXPECT_EQ(pair.first.peer_credentials().value().pid, ::getpid());
    auto process = pair.first.peer_process();
    if (process.error() == Errc::unsupported) GTEST_SKIP() << "this kernel has no SO_PEERPIDFD";
    ASSERT_TRUE(process) << process.message();
    EXPECT_NE(::fcntl(process->get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(UnixStream().peer_process().error(), Errc::closed);
  });
}

TEST(PassedFiles, AnOwnerClosesItsFile) {
  RawPipe pipe;
  const std::size_t before = open_files();
  FileDescriptor moved = std::move(pipe.reader);
  EXPECT_FALSE(pipe.reader);
  EXPECT_TRUE(moved);
  const int number = moved.release();
  EXPECT_EQ(moved.get(), -1);
  EXPECT_EQ(open_files(), before) << "released, not closed";
  moved = FileDescriptor(number);
  moved = std::move(pipe.writer);
  EXPECT_EQ(open_files(), before - 1);
  moved.reset();
  EXPECT_EQ(open_files(), before - 2);
  moved.reset();
}

}  // namespace
}  // namespace stranger
