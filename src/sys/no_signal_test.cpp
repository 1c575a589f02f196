// SPDX-License-Identifier: Apache-2.0
// Writing to what nobody reads from: an error, and no SIGPIPE, on kernels that know RWF_NOSIGNAL and on
// others.
#include <gtest/gtest.h>

#include "sys/errors.hpp"
#include "sys/iovec.hpp"
#include "sys/pipe.hpp"
#include "sys/splice.hpp"
#include "sys/write_no_signal.hpp"

#include <array>
#include <csignal>
#include <span>
#include <string_view>
#include <unistd.h>

namespace weft::sys {
namespace {

volatile sig_atomic_t pipe_signals = 0;

/// Counts SIGPIPE meanwhile.
class CountedSigpipe {
 public:
  CountedSigpipe() {
    pipe_signals = 0;
    struct sigaction counts {};
    counts.sa_handler = [](int) { pipe_signals = pipe_signals + 1; };
    ::sigaction(SIGPIPE, &counts, &before_);
  }
  ~CountedSigpipe() { ::sigaction(SIGPIPE, &before_, nullptr); }
  CountedSigpipe(const CountedSigpipe&) = delete;
  CountedSigpipe& operator=(const CountedSigpipe&) = delete;

 private:
  struct sigaction before_ {};
};

Result<std::size_t> write_text(int fd, std::string_view text) {
  const iovec buffer = to_iovec(std::as_bytes(std::span(text)));
  return write_no_signal(fd, std::span(&buffer, 1));
}

class NoSignal : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { pretend_no_signal_flag_unknown(GetParam()); }
  void TearDown() override { pretend_no_signal_flag_unknown(false); }
};

TEST_P(NoSignal, AWriteMovesItsBytes) {
  const Pipe pipe = create_pipe().value();
  EXPECT_EQ(write_text(pipe.write_end.get(), "abc").value(), 3u);
  std::array<char, 4> text{};
  EXPECT_EQ(::read(pipe.read_end.get(), text.data(), text.size()), 3);
  EXPECT_EQ(std::string_view(text.data()), "abc");
}

TEST_P(NoSignal, AWriteThatNobodyReadsIsAnErrorOnly) {
  const CountedSigpipe counted;
  Pipe pipe = create_pipe().value();
  pipe.read_end.reset();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(write_text(pipe.write_end.get(), "x").error(), error_of(EPIPE));
  EXPECT_EQ(pipe_signals, 0);
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGPIPE), 0) << "it is held back for the call only";
}

// Not ours to take away.
TEST_P(NoSignal, ASignalThatWasPendingBeforeStays) {
  sigset_t held;
  sigemptyset(&held);
  sigaddset(&held, SIGPIPE);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &held, &before);
  ::raise(SIGPIPE);
  Pipe pipe = create_pipe().value();
  pipe.read_end.reset();
  EXPECT_EQ(write_text(pipe.write_end.get(), "x").error(), error_of(EPIPE));
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 1);
  const timespec at_once{};
  EXPECT_EQ(sigtimedwait(&held, nullptr, &at_once), SIGPIPE);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Kernels, NoSignal, testing::Bool(),
                         [](const auto& of) { return of.param ? "WithoutTheFlag" : "AsItIs"; });

TEST(Splice, MovesBytesAndRaisesNoSignal) {
  const CountedSigpipe counted;
  const Pipe from = create_pipe().value();
  Pipe to = create_pipe().value();
  EXPECT_TRUE(would_block(splice(from.read_end.get(), to.write_end.get(), 8).error())) << "nothing to move";
  EXPECT_EQ(write_text(from.write_end.get(), "abcdef").value(), 6u);
  EXPECT_EQ(splice(from.read_end.get(), to.write_end.get(), 4).value(), 4u);
  std::array<char, 8> text{};
  EXPECT_EQ(::read(to.read_end.get(), text.data(), text.size()), 4);
  EXPECT_EQ(std::string_view(text.data()), "abcd");
  to.read_end.reset();
  EXPECT_EQ(splice(from.read_end.get(), to.write_end.get(), 4).error(), error_of(EPIPE));
  EXPECT_EQ(pipe_signals, 0);
}

}  // namespace
}  // namespace weft::sys
