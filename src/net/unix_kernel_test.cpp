// SPDX-License-Identifier: Apache-2.0
// Unix sockets and pipes when the kernel refuses: the error is the caller's, and nothing is left behind.
#include <weft/io/pipe.hpp>
#include <weft/net/unix_listener.hpp>
#include <weft/net/unix_stream.hpp>
#include <weft/run.hpp>

#include <gtest/gtest.h>

#include "sys/errors.hpp"
#include "sys/fault.hpp"

#include <string>
#include <unistd.h>

namespace weft::net {
namespace {

using sys::Call;

std::string fresh_path() {
  static int count = 0;
  return "/tmp/weft-unix-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

TEST(UnixKernel, AListenerThatIsRefusedLeavesNoFile) {
  for (const Call call : {Call::socket, Call::bind, Call::chmod, Call::listen}) {
    run([&] {
      const std::string path = fresh_path();
      sys::FaultPlan faults;
      faults.fail(call, EMFILE);
      const Result<UnixListener> listener = UnixListener::bind(path, {.mode = 0600});
      EXPECT_EQ(listener.error(), sys::error_of(EMFILE)) << sys::to_string(call);
      EXPECT_NE(listener.message().find(path), std::string::npos) << listener.message();
      EXPECT_EQ(faults.applied(), 1u);
      EXPECT_NE(::access(path.c_str(), F_OK), 0) << sys::to_string(call);
    });
  }
}

TEST(UnixKernel, AConnectThatIsRefusedSaysWhy) {
  for (const int error : {ECONNREFUSED, EACCES, ENOBUFS, EPROTOTYPE}) {
    run([&] {
      const std::string path = fresh_path();
      const UnixListener listener = UnixListener::bind(path).value();
      sys::FaultPlan faults;
      faults.fail(Call::connect, error);
      EXPECT_EQ(UnixStream::connect(path).error(), sys::error_of(error));
      EXPECT_EQ(faults.applied(), 1u);
    });
  }
}

// EAGAIN: the backlog is full. There is no event for room in it.
TEST(UnixKernel, AConnectWaitsForRoomInTheBacklog) {
  run([] {
    const std::string path = fresh_path();
    UnixListener listener = UnixListener::bind(path).value();
    sys::FaultPlan faults;
    faults.fail(Call::connect, EAGAIN, {.times = 3});
    UnixStream client = UnixStream::connect(path).value();
    EXPECT_EQ(faults.applied(), 3u);
    UnixStream server = listener.accept().value();
    client.write_all("x").value();
    char text[1];
    EXPECT_EQ(server.read_exact(text).value(), 1u);
    EXPECT_EQ(text[0], 'x');
  });
}

TEST(UnixKernel, WithoutDescriptorsThereIsNoPipe) {
  run([] {
    sys::FaultPlan faults;
    faults.fail(Call::pipe, EMFILE);
    EXPECT_EQ(io::make_pipe().error(), sys::error_of(EMFILE));
    EXPECT_TRUE(io::make_pipe());
  });
}

}  // namespace
}  // namespace weft::net
