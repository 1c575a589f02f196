// SPDX-License-Identifier: Apache-2.0
// What the hot syscalls cost through sys and through glibc, in a process with two threads: there glibc's
// cancellation points pay for atomics, and sys issues the instruction itself (sys/syscall.hpp).
//
//     bench_syscalls [--benchmark_enable_random_interleaving=true --benchmark_repetitions=21]

#include "sys/errors.hpp"
#include "sys/recv_send.hpp"
#include "sys/socket.hpp"

#include <array>
#include <semaphore>
#include <sys/socket.h>
#include <thread>

#include <benchmark/benchmark.h>

namespace weft::sys {
namespace {

struct Libc {
  [[gnu::noinline]] static Result<std::size_t> recv(int fd, std::span<std::byte> buffer) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0) return error_of(errno);
    return static_cast<std::size_t>(size);
  }
  [[gnu::noinline]] static Result<std::size_t> send(int fd, std::span<const std::byte> data) {
    const ssize_t size = ::send(fd, data.data(), data.size(), MSG_NOSIGNAL);
    if (size < 0) return error_of(errno);
    return static_cast<std::size_t>(size);
  }
};

struct Sys {
  static Result<std::size_t> recv(int fd, std::span<std::byte> buffer) { return sys::recv(fd, buffer); }
  static Result<std::size_t> send(int fd, std::span<const std::byte> data) { return sys::send(fd, data); }
};

/// A second thread that does nothing: enough for glibc to take its multi-threaded paths.
class SecondThread {
 public:
  ~SecondThread() {
    stop_.release();
    thread_.join();
  }

 private:
  std::binary_semaphore stop_{0};
  std::thread thread_{[this] { stop_.acquire(); }};
};

template <class Calls>
void recv_that_finds_nothing(benchmark::State& state) {
  const SecondThread second;
  const SocketPair pair = create_socket_pair(SOCK_STREAM).value();
  std::array<std::byte, 64> buffer;
  for (auto _ : state) benchmark::DoNotOptimize(Calls::recv(pair.first.get(), buffer));
}
BENCHMARK(recv_that_finds_nothing<Libc>);
BENCHMARK(recv_that_finds_nothing<Sys>);

template <class Calls>
void send_and_recv_of_64_bytes(benchmark::State& state) {
  const SecondThread second;
  const SocketPair pair = create_socket_pair(SOCK_STREAM).value();
  std::array<std::byte, 64> buffer{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(Calls::send(pair.first.get(), buffer));
    benchmark::DoNotOptimize(Calls::recv(pair.second.get(), buffer));
  }
}
BENCHMARK(send_and_recv_of_64_bytes<Libc>);
BENCHMARK(send_and_recv_of_64_bytes<Sys>);

}  // namespace
}  // namespace weft::sys

BENCHMARK_MAIN();
