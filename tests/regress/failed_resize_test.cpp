// SPDX-License-Identifier: Apache-2.0
// A resize() that fails takes the lanes back that it has made. It did so with the context's lock held, in
// portions, between which other fibers run: one that resized too waited for the lock on the thread of its
// holder.
#include <weft/weft.hpp>

#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

/// There is room for so many files more.
class RoomForFiles {
 public:
  explicit RoomForFiles(int count) {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &usual_), 0);
    const int next = ::dup(STDIN_FILENO);
    EXPECT_EQ(::close(next), 0);
    rlimit limit = usual_;
    limit.rlim_cur = static_cast<rlim_t>(next + count);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  ~RoomForFiles() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &usual_), 0); }
  RoomForFiles(const RoomForFiles&) = delete;
  RoomForFiles& operator=(const RoomForFiles&) = delete;

 private:
  rlimit usual_ = {};
};

/// More than are visited in one portion by a loop that ends.
std::vector<net::TcpListener> many_files() {
  std::vector<net::TcpListener> listeners;
  for (int i = 0; i < 600; ++i) listeners.push_back(net::TcpListener::bind("127.0.0.1:0").value());
  return listeners;
}

TEST(FailedResize, OthersMayResizeWhileItsLanesAreTakenBack) {
  ParallelContext context("pinned",
                          {.parallelism = 1,
                           .strategy = EventLoopStrategy{EventLoopStrategy::Placement::kPerThread,
                                                         EventLoopStrategy::Registration::kBroadcast,
                                                         EventLoopStrategy::Ownership::kNone}});
  int resized = 0;
  context
      .spawn([&] {
        const auto files = many_files();
        bool failing = false;
        auto other = spawn([&] {
          while (!failing) yield();
          context.resize(1);
          ++resized;
        });
        yield();
        {
          const RoomForFiles room(8);  // one lane has three
          failing = true;
          EXPECT_THROW(context.resize(6), std::system_error);
        }
        EXPECT_EQ(resized, 1) << "nobody ran meanwhile: this test shows nothing";
        other.join_uncancellable();
      })
      .join_uncancellable();
  EXPECT_EQ(context.parallelism(), 1U);
  context.resize(2);
  EXPECT_EQ(context.spawn([] { return 2; }).join_uncancellable(), 2);
}

}  // namespace
}  // namespace weft
