// SPDX-License-Identifier: Apache-2.0
// Lookups when system calls fail, and when replies are hostile: each ends, and leaves nothing behind.
#include <weft/net/resolver.hpp>
#include <weft/task_group.hpp>

#include <gtest/gtest.h>

#include "support/contexts.hpp"
#include "support/dns_server.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"

#include <cerrno>
#include <string>
#include <vector>

namespace weft {
namespace name_faults {
namespace {

using namespace std::chrono_literals;
using net::AddressFamily;
using net::NameErrc;
using net::Resolver;
using net::SocketAddress;
using test::DnsMistake;
using test::DnsServer;
using test::DnsZone;

class NameFaults : public testing::Test {
 protected:
  net::ResolverOptions options(std::chrono::milliseconds timeout = 5ms) const {
    return {.backend = net::ResolverBackend::kDns,
            .servers = {server_.address()},
            .timeout = timeout,
            .tries = 2,
            .search = std::vector<std::string>{},
            .hosts_file = "",
            .resolv_conf = "/dev/null"};
  }

  template <class Body>
  void in_fiber(Body body) {
    ConcurrentContext context("names");
    context.spawn([&] { body(); }).join_uncancellable();
  }

  /// One lookup by a resolver of its own, while `call` fails once.
  Result<std::vector<SocketAddress>> with_failing(sys::Call call, int error, std::uint64_t skip) {
    sys::FaultPlan faults;
    faults.fail(call, error, {.skip = skip});
    Resolver resolver(options());
    return resolver.resolve("one.test", "80");
  }

  DnsServer server_{DnsZone{{"one.test", {.v4 = {"192.0.2.1"}}},
                            {"long.test", {.v4 = {"192.0.2.2"}, .truncate = true}},
                            {"mutated.test", {.v4 = {"192.0.2.3"}, .mistake = DnsMistake::kMutated}}}};
};

TEST_F(NameFaults, AShortageIsTheErrorOfTheLookup) {
  in_fiber([&] {
    EXPECT_TRUE(sys::is_errno(with_failing(sys::Call::socket, EMFILE, 0).error(), EMFILE));
    EXPECT_TRUE(sys::is_errno(with_failing(sys::Call::epoll_create, EMFILE, 0).error(), EMFILE));
    EXPECT_EQ(with_failing(sys::Call::socket, EMFILE, 0).message(),
              "resolving one.test: Too many open files");
  });
}

TEST_F(NameFaults, WhicheverCallFailsTheLookupEndsAndLeavesNothingOpen) {
  using enum sys::Call;
  in_fiber([&] {
    EXPECT_TRUE(Resolver(options(60s)).resolve("one.test", "80"));
    const std::size_t files = test::open_files();
    for (const sys::Call call :
         {socket, connect, sendmsg, recvmsg, epoll_create, epoll_add, epoll_modify, epoll_remove, status}) {
      for (const int error : {EINTR, EAGAIN, ENOMEM, ENOSPC, ECONNREFUSED, ENETUNREACH, EIO}) {
        for (std::uint64_t skip = 0; skip < 4; ++skip) {
          const auto found = with_failing(call, error, skip);
          if (found) {
            EXPECT_EQ(found->front().to_string(), "192.0.2.1:80");
          } else {
            EXPECT_TRUE(found.message().starts_with("resolving one.test: ")) << found.message();
          }
        }
      }
    }
    EXPECT_LE(test::open_files(), files);
    EXPECT_TRUE(Resolver(options(60s)).resolve("one.test", "80"));
  });
}

TEST_F(NameFaults, HostileRepliesEndInAnswersOrErrors) {
  in_fiber([&] {
    net::ResolverOptions given = options();
    given.tries = 1;
    given.timeout = 1ms;
    Resolver resolver(given);
    const std::size_t files = test::open_files();
    for (int i = 0; i < 1000; ++i) {
      const auto found =
          resolver.resolve("mutated.test", "80", i % 2 ? AddressFamily::kV4 : AddressFamily::kAny);
      if (found) {
        EXPECT_FALSE(found->empty());
      } else {
        EXPECT_TRUE(found.message().starts_with("resolving mutated.test: ")) << found.message();
      }
    }
    EXPECT_LE(test::open_files(), files + 1);  // an idle channel
  });
}

}  // namespace
}  // namespace name_faults
}  // namespace weft
