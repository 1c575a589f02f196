// SPDX-License-Identifier: Apache-2.0
// How long GET /hello takes while other fibers of the same thread wait and read: one resolves a name at a
// server that never answers, one reads a file again and again, one waits for processes, and one computes for
// a second at a time in a context of its own. A plain thread asks over one connection. Quiet and busy rounds
// take turns. The limit is twice the quiet p99 plus one time slice of the kernel.
//
//   bench_hello_beside [rounds] [requests of a round] [MiB of the file] [directory]
#include <weft/weft.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kPiece = std::size_t{64} * 1024;
constexpr std::string_view kRequest = "GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n";

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench_hello_beside: %s\n", what);
  std::abort();
}

/// A connection of a plain thread.
class Client {
 public:
  explicit Client(const weft::net::SocketAddress& server)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "no connection");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// The microseconds of each request, with a pause after each, so that the server's thread is idle.
  std::vector<double> ask(int requests) const {
    std::vector<double> times;
    char reply[4096];
    for (int i = 0; i < requests; ++i) {
      const auto start = Clock::now();
      require(send(fd_, kRequest.data(), kRequest.size(), 0) > 0, "sending has failed");
      require(recv(fd_, reply, sizeof reply, 0) > 0, "the server has closed the connection");
      times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
      usleep(200);
    }
    return times;
  }

 private:
  const int fd_;
};

double quantile(std::vector<double> values, double part) {
  require(!values.empty(), "no requests");
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// What the kernel gives a thread at a time while another one wants the same CPU, in microseconds: the median
/// of the gaps in the time that one of two such threads sees.
double time_slice() {
  std::vector<double> gaps;
  const auto run = [&](bool measures) {
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    require(sched_setaffinity(0, sizeof first, &first) == 0, "no affinity");
    const auto end = Clock::now() + 1s;
    for (auto before = Clock::now(), now = before; now < end; before = now) {
      now = Clock::now();
      if (measures && now - before > 300us)
        gaps.push_back(std::chrono::duration<double, std::micro>(now - before).count());
    }
  };
  std::thread other(run, false);
  std::thread one(run, true);
  other.join();
  one.join();
  return quantile(gaps, 0.5);
}

/// A name server that gets questions and never answers.
class SilentServer {
 public:
  SilentServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    require(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "no UDP socket");
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    name_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SilentServer() { close(fd_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;

  const std::string& name() const noexcept { return name_; }

 private:
  const int fd_;
  std::string name_;
};

/// What the four fibers have done.
struct Work {
  int names = 0;
  std::uint64_t pieces = 0;
  int processes = 0;
  int seconds = 0;
};

/// The four fibers, until they are cancelled.
void work(weft::net::Resolver& resolver, weft::fs::File& file, weft::ExecutionContext& computing,
          Work& done) {
  weft::TaskGroup<void> fibers;
  fibers.spawn([&] {
    while (!weft::this_fiber::cancel_requested()) {
      require(!resolver.resolve("never.example.org", "http", 1s), "the silent server has answered");
      ++done.names;
    }
  });
  fibers.spawn([&] {
    std::vector<std::byte> buffer(kPiece);
    while (!weft::this_fiber::cancel_requested()) {
      // From the disk again. Throwing pages away takes the kernel a while.
      std::ignore =
          weft::blocking([&] { return posix_fadvise(file.native_handle(), 0, 0, POSIX_FADV_DONTNEED); });
      for (file.set_position(0); file.read_some(buffer).has_value();) ++done.pieces;
    }
  });
  fibers.spawn([&] {
    while (weft::process::Command("sleep", {"0.05"}).run().has_value()) ++done.processes;
  });
  fibers.spawn(computing, [&] {
    while (!weft::this_fiber::cancel_requested()) {
      const auto end = Clock::now() + 1s;
      while (Clock::now() < end) {}
      ++done.seconds;
    }
  });
  std::ignore = fibers.wait();
}

struct Measured {
  std::vector<double> quiet, busy;  // microseconds of each request
};

void report(const char* name, const std::vector<double>& times) {
  std::printf("%-6s %7zu requests: p50 %8.1f  p99 %8.1f  p99.9 %8.1f us\n", name, times.size(),
              quantile(times, 0.5), quantile(times, 0.99), quantile(times, 0.999));
}

Measured measure(int rounds, int requests, std::uint64_t mebibytes, const char* directory) {
  weft::http::Server server;
  server.get("/hello",
             [](const weft::http::Request&, weft::http::Response& response) { response.text("Hello!"); });
  const auto address = server.start("127.0.0.1:0").value();
  const SilentServer silent;
  weft::net::Resolver resolver({.servers = {silent.name()}, .search = std::vector<std::string>()});
  auto temporary = weft::fs::TemporaryFile::create(directory).value();
  const std::string mebibyte(std::size_t{1} << 20, 'x');
  for (std::uint64_t i = 0; i < mebibytes; ++i) temporary.file().write_all(mebibyte).value();
  temporary.file().sync().value();
  weft::ParallelContext computing("computing", {.parallelism = 1, .stuck_report_after = 0ms});

  Measured measured;
  Work done;
  for (int round = 0; round < rounds; ++round) {
    weft::TaskGroup<void> busy;
    for (std::vector<double>* const times : {&measured.quiet, &measured.busy}) {
      if (times == &measured.busy) busy.spawn([&] { work(resolver, temporary.file(), computing, done); });
      // Its thread is none of the context, as a client's would not be.
      const auto asked = weft::blocking([&] { return Client(address).ask(requests); }).value();
      times->insert(times->end(), asked.begin(), asked.end());
    }
    busy.cancel();
    std::ignore = busy.wait();
  }
  std::printf("meanwhile %d names, %llu MiB read, %d processes, %d seconds computed\n", done.names,
              static_cast<unsigned long long>(done.pieces * kPiece >> 20), done.processes, done.seconds);
  return measured;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int place, int otherwise) {
    return argc > place ? std::atoi(argv[place]) : otherwise;
  };
  return weft::run([&] {
    const Measured measured =
        measure(number(1, 3), number(2, 10'000), static_cast<std::uint64_t>(number(3, 1024)),
                argc > 4 ? argv[4] : "/var/tmp");
    report("quiet", measured.quiet);
    report("busy", measured.busy);
    const double slice = weft::blocking(time_slice).value();
    const double limit = 2 * quantile(measured.quiet, 0.99) + slice;
    const double busy = quantile(measured.busy, 0.99);
    std::printf("limit: twice the quiet p99 and a time slice of %.1f us: %.1f us; busy p99 is %.2f of it\n",
                slice, limit, busy / limit);
    return busy < limit ? 0 : 1;
  });
}
