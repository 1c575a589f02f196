// SPDX-License-Identifier: Apache-2.0
#include "sys/io.hpp"

#include "sys/errors.hpp"
#include "sys/event_fd.hpp"
#include "sys/fault.hpp"
#include "sys/iovec.hpp"
#include "sys/pipe.hpp"
#include "sys/socket.hpp"

#include <array>
#include <cstdlib>
#include <fcntl.h>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Io, MovesBytesThroughAPipe) {
  const Pipe pipe = create_pipe().value();
  EXPECT_EQ(write(pipe.write_end.get(), bytes("hello")).value(), 5u);
  std::array<char, 16> buffer{};
  EXPECT_EQ(read(pipe.read_end.get(), std::as_writable_bytes(std::span(buffer))).value(), 5u);
  EXPECT_STREQ(buffer.data(), "hello");
}

TEST(Io, AnEmptyPipeWouldBlockAndAClosedOneIsAtItsEnd) {
  Pipe pipe = create_pipe().value();
  std::array<std::byte, 4> buffer;
  EXPECT_TRUE(would_block(read(pipe.read_end.get(), buffer).error()));
  pipe.write_end.reset();
  EXPECT_EQ(read(pipe.read_end.get(), buffer).value(), 0u);
}

TEST(Io, VectoredCallsGatherAndScatter) {
  const Pipe pipe = create_pipe().value();
  const std::array<iovec, 3> data = {to_iovec(bytes("he")), to_iovec(bytes("")), to_iovec(bytes("llo"))};
  EXPECT_EQ(write_vectored(pipe.write_end.get(), data).value(), 5u);
  std::array<char, 4> one{};
  std::array<char, 4> two{};
  const std::array<iovec, 2> buffers = {to_iovec(std::as_writable_bytes(std::span(one)).first(3)),
                                        to_iovec(std::as_writable_bytes(std::span(two)).first(3))};
  EXPECT_EQ(read_vectored(pipe.read_end.get(), buffers).value(), 5u);
  EXPECT_STREQ(one.data(), "hel");
  EXPECT_STREQ(two.data(), "lo");
}

TEST(Io, VectoredCallsCanBeShortened) {
  const Pipe pipe = create_pipe().value();
  const std::array<iovec, 2> data = {to_iovec(bytes("he")), to_iovec(bytes("llo"))};
  FaultPlan faults;
  faults.shorten(Call::write, 1);
  EXPECT_EQ(write_vectored(pipe.write_end.get(), data).value(), 1u);
  EXPECT_EQ(write_vectored(pipe.write_end.get(), data).value(), 5u);
}

TEST(Io, TheNonBlockingFlagCanBeReadAndChanged) {
  const Pipe pipe = create_pipe().value();
  const int fd = pipe.read_end.get();
  EXPECT_TRUE(is_nonblocking(fd).value());
  EXPECT_TRUE(set_nonblocking(fd, false));
  EXPECT_FALSE(is_nonblocking(fd).value());
  EXPECT_TRUE(set_nonblocking(fd, true));
  EXPECT_TRUE(is_nonblocking(fd).value());
}

TEST(Io, SettingAFlagThatIsSetCostsOneCall) {
  const Pipe pipe = create_pipe().value();
  CallCounter counter;
  EXPECT_TRUE(set_nonblocking(pipe.read_end.get(), true));
  EXPECT_EQ(counter.counts()[Call::fcntl], 1u);
}

TEST(Io, WhatIsOpenedOrDuplicatedIsClosedOnExec) {
  const Fd file = open("/dev/null", O_RDWR).value();
  EXPECT_NE(::fcntl(file.get(), F_GETFD) & FD_CLOEXEC, 0);
  const Fd copy = duplicate(file.get()).value();
  EXPECT_NE(copy.get(), file.get());
  EXPECT_NE(::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_TRUE(set_close_on_exec(copy.get(), false));
  EXPECT_EQ(::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Io, TellsTheKindOfAFile) {
  const Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  const Pipe pipe = create_pipe().value();
  const SocketPair sockets = create_socket_pair(SOCK_STREAM).value();
  const EventFd counter = EventFd::create().value();
  EXPECT_EQ(file_kind(open("/proc/self/exe", O_RDONLY)->get()).value(), FileKind::kRegular);
  EXPECT_EQ(file_kind(open("/", O_RDONLY)->get()).value(), FileKind::kDirectory);
  EXPECT_EQ(file_kind(open("/dev/null", O_RDONLY)->get()).value(), FileKind::kCharacterDevice);
  EXPECT_EQ(file_kind(pipe.read_end.get()).value(), FileKind::kFifo);
  EXPECT_EQ(file_kind(sockets.first.get()).value(), FileKind::kSocket);
  EXPECT_EQ(file_kind(counter.fd()).value(), FileKind::kOther);
  if (!terminal) GTEST_SKIP() << "no pseudo-terminals here";
  EXPECT_EQ(file_kind(terminal.get()).value(), FileKind::kTerminal);
}

TEST(Io, ErrorsCarryTheErrnoOfTheKernel) {
  std::array<std::byte, 1> buffer;
  EXPECT_TRUE(is_errno(read(-1, buffer).error(), EBADF));
  EXPECT_TRUE(is_errno(write(-1, buffer).error(), EBADF));
  EXPECT_TRUE(is_errno(is_nonblocking(-1).error(), EBADF));
  EXPECT_TRUE(is_errno(set_nonblocking(-1, true).error(), EBADF));
  EXPECT_TRUE(is_errno(duplicate(-1).error(), EBADF));
  EXPECT_TRUE(is_errno(file_kind(-1).error(), EBADF));
  EXPECT_TRUE(is_errno(open("/nowhere/to/be/found", O_RDONLY).error(), ENOENT));
}

TEST(Io, NumbersRunningOutAreReported) {
  FaultPlan faults;
  faults.fail(Call::open, EMFILE);
  faults.fail(Call::pipe, ENFILE);
  faults.fail(Call::fcntl, EMFILE);
  EXPECT_EQ(open("/dev/null", O_RDONLY).error(), std::errc::too_many_files_open);
  EXPECT_EQ(create_pipe().error(), std::errc::too_many_files_open_in_system);
  EXPECT_EQ(duplicate(0).error(), std::errc::too_many_files_open);
}

TEST(Io, ReadsATextFileWhole) {
  const std::string status = read_text_file("/proc/self/status").value();
  EXPECT_EQ(status.rfind("Name:", 0), 0u);
  EXPECT_EQ(status.back(), '\n');
  EXPECT_TRUE(is_errno(read_text_file("/nowhere/to/be/found").error(), ENOENT));
}

TEST(Io, ReadsATextFileWholeInShortPieces) {
  FaultPlan faults;
  faults.shorten(Call::read, 7, {.times = FaultRange::kAlways});
  EXPECT_EQ(read_text_file("/proc/self/comm").value().back(), '\n');
}

TEST(Io, RefusesATextFileWithoutEnd) { EXPECT_TRUE(is_errno(read_text_file("/dev/zero").error(), EFBIG)); }

TEST(Errors, WouldBlockIsTheKernelsEagainOnly) {
  EXPECT_TRUE(would_block(error_of(EAGAIN)));
  EXPECT_FALSE(would_block(error_of(EINTR)));
  EXPECT_FALSE(would_block({}));
  EXPECT_FALSE(would_block(std::error_code(EAGAIN, error_category())));
}

}  // namespace
}  // namespace weft::sys
