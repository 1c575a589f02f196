// SPDX-License-Identifier: Apache-2.0
// A full pipe at standard error held up whoever had something to say: the server's threads, and its end.
#include "base/standard_error.hpp"

#include "base/atomic.hpp"
#include "base/panic.hpp"

#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace weft {
namespace {

/// Standard error is the writing end of a pipe or socket pair; the reading end is read by the test.
class StandardError : public testing::Test {
 protected:
  ~StandardError() override {
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    stop_reading();
  }

  void be_a_pipe() {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    become(ends[1], ends[0]);
  }
  void be_a_socket() {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    become(ends[1], ends[0]);
  }
  void stop_reading() {
    if (reader_ >= 0) close(reader_);
    reader_ = -1;
  }

  void fill() {
    const std::string block(1024, '.');
    while (write_standard_error(block, 0)) {}
  }
  std::string read_all() {
    std::string text;
    char part[4096];
    fcntl(reader_, F_SETFL, O_NONBLOCK);
    for (ssize_t n; (n = read(reader_, part, sizeof part)) > 0;)
      text.append(part, static_cast<std::size_t>(n));
    return text;
  }

  /// A page each 10 ms: slower is slower still.
  void read_slowly(const Atomic<bool>& stop) {
    char page[4096];
    fcntl(reader_, F_SETFL, O_NONBLOCK);
    for (; !stop.load(relaxed); poll(nullptr, 0, 10)) {
      [[maybe_unused]] const ssize_t taken = read(reader_, page, sizeof page);
    }
  }

 private:
  void become(int writer, int reader) {
    saved_ = dup(STDERR_FILENO);
    dup2(writer, STDERR_FILENO);
    close(writer);
    reader_ = reader;
  }

  int saved_ = -1;
  int reader_ = -1;
};

TEST_F(StandardError, AFullPipeTakesNothingHoldsNobodyUpAndIsToldAboutLater) {
  be_a_pipe();
  fill();
  const std::uint64_t before = dropped_standard_error();
  write_to_stderr({"lost", "\n"});
  write_to_stderr({"lost", "\n"});
  EXPECT_EQ(dropped_standard_error() - before, 2u);
  EXPECT_EQ(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0) << "the description is shared with others";
  read_all();
  write_to_stderr({"found", "\n"});
  EXPECT_EQ(read_all(), "weft: standard error was full: lost here: 3\nfound\n");
  write_to_stderr({"and ", "again\n"});
  EXPECT_EQ(read_all(), "and again\n");
}

TEST_F(StandardError, AFullSocketTakesNothingEither) {
  be_a_socket();
  fill();
  const std::uint64_t before = dropped_standard_error();
  write_to_stderr({"lost\n"});
  EXPECT_EQ(dropped_standard_error() - before, 1u);
}

TEST_F(StandardError, AReportIsGivenUpWhenNobodyReads) {
  be_a_pipe();
  fill();
  write_report_to_stderr(std::string(100'000, 'r'));
  EXPECT_EQ(read_all().find("rrr"), std::string::npos);
}

// Each kilobyte waited anew: a reader that takes a little now and then held up its writer for as long as it
// liked.
TEST_F(StandardError, AReportIsGivenUpInTheMiddleWhenTheReaderIsSlow) {
  be_a_pipe();
  fill();
  Atomic<bool> given_up{false};
  std::thread reader([&] { read_slowly(given_up); });
  const std::uint64_t before = dropped_standard_error();
  write_standard_error(std::string(1 << 20, 'r'), 20);
  given_up.store(true, relaxed);
  reader.join();
  EXPECT_EQ(dropped_standard_error() - before, 1u);
}

TEST_F(StandardError, AReaderThatHasGoneIsNoSignal) {
  be_a_pipe();
  stop_reading();
  const std::uint64_t before = dropped_standard_error();
  write_to_stderr({"nobody\n"});
  EXPECT_EQ(dropped_standard_error() - before, 1u);
}

TEST_F(StandardError, ALineThatIsTooLongIsCutAndStillOneLine) {
  be_a_pipe();
  write_line_to_stderr({std::string(5000, 'x')}, " end\n");
  const std::string line = read_all();
  EXPECT_GT(line.size(), 900u);
  EXPECT_LT(line.size(), 1100u);
  EXPECT_TRUE(line.ends_with("x end\n"));
}

TEST_F(StandardError, WhatAPeerSaidCannotBeginALine) {
  be_a_pipe();
  write_line_to_stderr({"it said: ", "a\nweft: b\r\x1b[31m\x7f"}, "\n");
  EXPECT_EQ(read_all(), "it said: a weft: b  [31m \n");
  write_line_to_stderr({"it said: ",
                        "\xc2\x9b"
                        "31m \x9b"
                        "31m \xc3\xbc"},
                       "\n");
  EXPECT_EQ(read_all(), "it said:   31m  31m \xc3\xbc\n");
}

TEST_F(StandardError, ErrnoIsKept) {
  be_a_pipe();
  fill();
  errno = 77;
  write_to_stderr({"lost\n"});
  EXPECT_EQ(errno, 77);
}

}  // namespace
}  // namespace weft
