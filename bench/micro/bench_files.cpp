// SPDX-License-Identifier: Apache-2.0
// 4 KiB reads of bytes in memory by 64 fibers of one thread, beside a bare io_uring loop with 64 reads for
// each system call, and libuv's pool with 64 reads under way; and a file of 1 GiB sent over a loopback
// connection by io::copy(), beside a bare sendfile loop. Interleaved rounds; CPU time of the process, of the
// sending thread for the file that is sent, and elapsed time. The last column is weft's share, the median
// over the rounds.
//
//   bench_files [rounds] [directory]
#include <weft/execution_context.hpp>
#include <weft/fs/file.hpp>
#include <weft/fs/temporary.hpp>
#include <weft/io/copy.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <string>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#if WEFT_HAVE_LIBURING
#include <liburing.h>
#endif
#if WEFT_BENCH_LIBUV
#include <uv.h>
#endif

namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kBlocks = 16'384;
constexpr int kAtOnce = 64;
constexpr int kReads = 200'000;
constexpr std::size_t kLarge = std::size_t{1} << 30;

double cpu_seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <class Body>
double cpu_of(Body&& body) {
  const double start = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  body();
  return cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
}

std::size_t offset_of(std::size_t i) { return i * 7'919 % kBlocks * kBlock; }

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "bench_files: %s\n", what);
  std::exit(1);
}

double by_weft(weft::ExecutionContext& context, weft::fs::File& file) {
  return cpu_of([&] {
    std::vector<weft::JoinHandle<void>> fibers;
    for (std::size_t f = 0; f < kAtOnce; ++f) {
      fibers.push_back(context.spawn([&, f] {
        const auto buffer = std::make_unique<std::byte[]>(kBlock);
        for (std::size_t i = f; i < kReads; i += kAtOnce) {
          const auto n = file.pread(weft::MutableBuffer(buffer.get(), kBlock), offset_of(i));
          require(n && *n == kBlock, "a short read");
        }
      }));
    }
    for (auto& fiber : fibers) fiber.join_uncancellable();
  });
}

double by_pread(int fd) {
  return cpu_of([&] {
    std::vector<std::byte> buffer(kBlock);
    for (std::size_t i = 0; i < kReads; ++i)
      require(::pread(fd, buffer.data(), kBlock, static_cast<off_t>(offset_of(i))) == kBlock, "a short read");
  });
}

#if WEFT_HAVE_LIBURING
double by_ring(int fd) {
  io_uring ring{};
  require(io_uring_queue_init(kAtOnce, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) == 0,
          "no io_uring");
  std::vector<std::byte> buffers(kAtOnce * kBlock);
  const double cpu = cpu_of([&] {
    for (std::size_t i = 0; i < kReads; i += kAtOnce) {
      for (std::size_t j = 0; j < kAtOnce; ++j) {
        io_uring_sqe* const entry = io_uring_get_sqe(&ring);
        io_uring_prep_read(entry, fd, buffers.data() + j * kBlock, kBlock, offset_of(i + j));
      }
      io_uring_submit_and_wait(&ring, kAtOnce);
      unsigned head = 0;
      unsigned count = 0;
      io_uring_cqe* answer = nullptr;
      io_uring_for_each_cqe(&ring, head, answer) {
        require(answer->res == kBlock, "a short read");
        ++count;
      }
      io_uring_cq_advance(&ring, count);
    }
  });
  io_uring_queue_exit(&ring);
  return cpu;
}
#endif

#if WEFT_BENCH_LIBUV
struct UvReads {
  uv_loop_t loop;
  int fd;
  std::size_t next = 0;
};
struct UvRead {
  uv_fs_t request;
  UvReads* all;
  std::byte bytes[kBlock];
};

void uv_next(UvRead& read) {
  if (read.all->next == kReads) return;
  uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(read.bytes), kBlock);
  const auto offset = static_cast<std::int64_t>(offset_of(read.all->next++));
  uv_fs_read(&read.all->loop, &read.request, read.all->fd, &buffer, 1, offset, [](uv_fs_t* request) {
    require(request->result == kBlock, "a short read");
    UvRead& done = *static_cast<UvRead*>(request->data);
    uv_fs_req_cleanup(request);
    uv_next(done);
  });
}

double by_libuv(int fd) {
  UvReads all{.loop = {}, .fd = fd};
  uv_loop_init(&all.loop);
  std::vector<std::unique_ptr<UvRead>> reads;
  const double cpu = cpu_of([&] {
    for (int i = 0; i < kAtOnce; ++i) {
      reads.push_back(std::make_unique<UvRead>());
      reads.back()->all = &all;
      reads.back()->request.data = reads.back().get();
      uv_next(*reads.back());
    }
    uv_run(&all.loop, UV_RUN_DEFAULT);
  });
  uv_loop_close(&all.loop);
  return cpu;
}
#endif

/// Drops what arrives, on a thread of its own.
void drain(int socket) {
  std::vector<char> part(std::size_t{1} << 20);
  while (::recv(socket, part.data(), part.size(), MSG_TRUNC) > 0) continue;
}

struct Connection {
  weft::net::TcpStream near;
  weft::net::TcpStream far;
};

Connection connect_here() {
  auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
  auto near = weft::net::TcpStream::connect(listener.local_address().value()).value();
  return {std::move(near), listener.accept().value()};
}

/// Both sides' descriptors block in the bare loop and in the draining thread.
int blocking_copy(const weft::net::TcpStream& stream) {
  const int fd = ::dup(stream.native_handle());
  timeval none{};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
  return fd;
}

double send_by(weft::ExecutionContext& context, const std::function<void(Connection&)>& send, bool blocks,
               clockid_t clock) {
  return context
      .spawn([&] {
        Connection connection = connect_here();
        const int far = blocking_copy(connection.far);
        ::fcntl(far, F_SETFL, 0);
        if (blocks) ::fcntl(connection.near.native_handle(), F_SETFL, 0);
        std::thread drainer([far] { drain(far); });
        const double start = cpu_seconds(clock);
        send(connection);
        const double cost = cpu_seconds(clock) - start;
        ::shutdown(connection.near.native_handle(), SHUT_RDWR);
        drainer.join();
        ::close(far);
        return cost;
      })
      .join_uncancellable();
}

void send_bare(Connection& connection, int fd) {
  off_t offset = 0;
  while (static_cast<std::size_t>(offset) < kLarge)
    require(::sendfile(connection.near.native_handle(), fd, &offset,
                       kLarge - static_cast<std::size_t>(offset)) > 0,
            "sendfile");
}

struct Way {
  const char* name;
  std::function<double()> run;
  double unit;  ///< what one count is, in seconds
  std::vector<double> costs = {};
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure(const char* title, int rounds, std::vector<Way> ways) {
  for (int round = 0; round < rounds; ++round) {
    for (Way& way : ways) way.costs.push_back(way.run());
  }
  std::printf("%s\n", title);
  for (const Way& way : ways) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < way.costs.size(); ++i) ratios.push_back(ways[0].costs[i] / way.costs[i]);
    std::printf("  %-28s %10.3f   weft's share %5.2f\n", way.name, median(way.costs) / way.unit,
                median(ratios));
  }
}

void fill(weft::fs::File& file, std::size_t size) {
  const std::vector<std::byte> block(std::size_t{1} << 20, std::byte{'x'});
  for (std::size_t offset = 0; offset < size; offset += block.size()) file.pwrite(block, offset).value();
  file.sync().value();
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 7;
  const std::string directory = count > 2 ? arguments[2] : weft::fs::temporary_directory();
  weft::fs::TemporaryFile temporary = weft::fs::TemporaryFile::create(directory).value();
  weft::fs::File& file = temporary.file();
  weft::ConcurrentContext context("files");
  fill(file, kLarge);
  const int fd = file.native_handle();
  constexpr double kMicrosecondEach = kReads * 1e-6;
  std::vector<Way> reads = {{"weft, 64 fibers", [&] { return by_weft(context, file); }, kMicrosecondEach},
                            {"pread in a loop", [&] { return by_pread(fd); }, kMicrosecondEach}};
#if WEFT_HAVE_LIBURING
  reads.push_back({"bare io_uring, 64 a call", [&] { return by_ring(fd); }, kMicrosecondEach});
#endif
#if WEFT_BENCH_LIBUV
  reads.push_back({"libuv's pool, 64 under way", [&] { return by_libuv(fd); }, kMicrosecondEach});
#endif
  measure("4 KiB reads in memory, us of CPU each", rounds, reads);
  const auto by_copy = [&](Connection& connection) {
    file.set_position(0);
    require(weft::io::copy(file, connection.near).value() == kLarge, "copy");
  };
  const auto by_hand = [&](Connection& connection) { send_bare(connection, fd); };
  const auto send_ways = [&](clockid_t clock) -> std::vector<Way> {
    return {{"weft, io::copy()", [&, clock] { return send_by(context, by_copy, false, clock); }, 1},
            {"bare sendfile loop", [&, clock] { return send_by(context, by_hand, true, clock); }, 1}};
  };
  measure("1 GiB over loopback, s of CPU of the sender", rounds, send_ways(CLOCK_THREAD_CPUTIME_ID));
  measure("1 GiB over loopback, s elapsed", rounds, send_ways(CLOCK_MONOTONIC));
}
