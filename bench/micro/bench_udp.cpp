// SPDX-License-Identifier: Apache-2.0
// A UDP echo server of one thread: weft with batches and with single calls, beside a bare loop of epoll with
// recvmmsg and sendmmsg, one with recvfrom and sendto, and Go's net.UDPConn (one processor), if Go is
// installed. A plain thread sends bursts over loopback and waits for all answers. Interleaved rounds; the CPU
// time that the server used for a datagram. The last columns are the medians of the rounds' ratios.
//
//   bench_udp [rounds] [datagrams of a round] [datagrams of a burst] [directory of the Go program]
#include <weft/execution_context.hpp>
#include <weft/net/udp_socket.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <netinet/in.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kSize = 64;
constexpr std::size_t kRoom = 2048;
constexpr int kBufferSize = 4 << 20;

double thread_cpu() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::perror(what);
  std::exit(1);
}

/// What a server has used, in nanoseconds, for so many datagrams.
struct Used {
  double cpu_ns = 0;
  double datagrams = 0;
  double each() const { return cpu_ns / datagrams; }
};

struct Load {
  int datagrams;
  int burst;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Messages of one buffer each.
struct Messages {
  explicit Messages(std::size_t count, std::size_t size, bool named)
      : bytes(count * size), pieces(count), names(count), headers(count) {
    for (std::size_t i = 0; i < count; ++i) {
      pieces[i] = {bytes.data() + i * size, size};
      headers[i].msg_hdr.msg_iov = &pieces[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      if (!named) continue;
      headers[i].msg_hdr.msg_name = &names[i];
      headers[i].msg_hdr.msg_namelen = sizeof(names[i]);
    }
  }
  std::vector<char> bytes;
  std::vector<iovec> pieces;
  std::vector<sockaddr_in> names;
  std::vector<mmsghdr> headers;
};

/// Sends bursts to the port and waits for the answers; in the end the empty datagram. A lost answer is not
/// waited for longer than a moment.
void load_server(std::uint16_t port, Load load) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in to = loopback(port);
  const timeval patience{.tv_sec = 0, .tv_usec = 200'000};
  require(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0, "connect");
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kBufferSize, sizeof(kBufferSize));
  Messages messages(static_cast<std::size_t>(load.burst), kSize, false);
  for (int sent = 0; sent < load.datagrams; sent += load.burst) {
    for (int i = 0; i < load.burst;) {
      const int n = ::sendmmsg(fd, messages.headers.data() + i, static_cast<unsigned>(load.burst - i), 0);
      require(n > 0, "sendmmsg");
      i += n;
    }
    for (int i = 0; i < load.burst;) {
      const int n = ::recvmmsg(fd, messages.headers.data(), static_cast<unsigned>(load.burst - i),
                               MSG_WAITFORONE, nullptr);
      if (n <= 0) break;
      i += n;
    }
  }
  require(::send(fd, "", 0, 0) == 0, "send");
  ::close(fd);
}

// -- the bare loops -------------------------------------------------------------------------------------

/// Receives and answers until the socket is empty, or an empty datagram came; how many, -1 in the end.
using Answer = std::function<int(int fd)>;

Answer batches() {
  auto messages = std::make_shared<Messages>(kBatch, kRoom, true);
  return [messages](int fd) {
    int answered = 0;
    for (;;) {
      for (mmsghdr& header : messages->headers) header.msg_hdr.msg_namelen = sizeof(sockaddr_in);
      const int n = ::recvmmsg(fd, messages->headers.data(), kBatch, 0, nullptr);
      if (n < 0) return answered;
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        if (messages->headers[i].msg_len == 0) return -1;
        messages->pieces[i].iov_len = messages->headers[i].msg_len;
      }
      require(::sendmmsg(fd, messages->headers.data(), static_cast<unsigned>(n), 0) == n, "sendmmsg");
      for (iovec& piece : messages->pieces) piece.iov_len = kRoom;
      answered += n;
      if (n < static_cast<int>(kBatch)) return answered;
    }
  };
}

Answer singles() {
  return [](int fd) {
    std::array<char, kRoom> buffer;
    for (int answered = 0;; ++answered) {
      sockaddr_in from{};
      socklen_t size = sizeof(from);
      const auto n =
          ::recvfrom(fd, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n < 0) return answered;
      if (n == 0) return -1;
      ::sendto(fd, buffer.data(), static_cast<std::size_t>(n), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  };
}

Used by_bare_loop(Load load, const Answer& answer) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in at = loopback(0);
  socklen_t size = sizeof(at);
  require(::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0, "bind");
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kBufferSize, sizeof(kBufferSize));
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  Used used;
  std::thread server([&] {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = fd}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    const double start = thread_cpu();
    for (int answered = 0; answered >= 0;) {
      ::epoll_wait(epoll, &event, 1, -1);
      answered = answer(fd);
      used.datagrams += std::max(answered, 0);
    }
    used.cpu_ns = thread_cpu() - start;
    ::close(epoll);
  });
  load_server(ntohs(at.sin_port), load);
  server.join();
  ::close(fd);
  return used;
}

// -- weft -----------------------------------------------------------------------------------------------

Used echo_batches(weft::net::UdpSocket& socket) {
  weft::net::ReceiveBatch in(kBatch, kRoom);
  weft::net::SendBatch out(kBatch);
  Used used;
  const double start = thread_cpu();
  while (socket.receive_batch(in)) {
    bool ended = false;
    for (std::size_t i = 0; i < in.size(); ++i) {
      ended |= in.bytes(i).empty();
      out.add_reply(in, i, in.bytes(i));
    }
    if (ended) break;
    used.datagrams += static_cast<double>(in.size());
    require(socket.send_batch(out).has_value(), "send_batch");
  }
  used.cpu_ns = thread_cpu() - start;
  return used;
}

Used echo_singles(weft::net::UdpSocket& socket) {
  std::array<char, kRoom> buffer;
  Used used;
  const double start = thread_cpu();
  for (;;) {
    const auto received = socket.receive_from(buffer).value();
    if (received.size == 0) break;
    socket.send_to(weft::ConstBuffer(buffer.data(), received.size), received.from).value();
    ++used.datagrams;
  }
  used.cpu_ns = thread_cpu() - start;
  return used;
}

Used by_weft(Load load, Used (*echo)(weft::net::UdpSocket&)) {
  weft::ConcurrentContext context("echo");
  weft::net::UdpSocket socket = context
                                    .spawn([] {
                                      auto bound = weft::net::UdpSocket::bind("127.0.0.1:0").value();
                                      bound.set_receive_buffer_size(kBufferSize).value();
                                      return bound;
                                    })
                                    .join_uncancellable();
  const std::uint16_t port =
      context.spawn([&] { return socket.local_address().value().port(); }).join_uncancellable();
  auto server = context.spawn([&] { return echo(socket); });
  load_server(port, load);
  const Used used = server.join_uncancellable();
  context.spawn([&] { socket.close().value(); }).join_uncancellable();
  return used;
}

// -- Go -------------------------------------------------------------------------------------------------

Used by_go(Load load, const std::string& program) {
  FILE* const go = ::popen(("GOMAXPROCS=1 " + program).c_str(), "r");
  unsigned port = 0;
  require(go != nullptr && std::fscanf(go, "%u", &port) == 1, "the Go program");
  load_server(static_cast<std::uint16_t>(port), load);
  Used used;
  require(std::fscanf(go, "%lf %lf", &used.cpu_ns, &used.datagrams) == 2, "the Go program's result");
  ::pclose(go);
  return used;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 11;
  const Load load{argc > 2 ? std::atoi(argv[2]) : 200'000, argc > 3 ? std::atoi(argv[3]) : 128};
  const std::string source = argc > 4 ? argv[4] : "bench/micro/peers/udp";
  const std::string program = "/tmp/weft-bench-udp-go-" + std::to_string(::getpid());
  const bool has_go = std::system(("go build -o " + program + " " + source + "/main.go").c_str()) == 0;

  struct Row {
    const char* name;
    std::function<Used()> run;
    std::vector<double> each;
  };
  std::vector<Row> rows{
      {"bare recvmmsg", [&] { return by_bare_loop(load, batches()); }, {}},
      {"weft batches", [&] { return by_weft(load, echo_batches); }, {}},
      {"bare recvfrom", [&] { return by_bare_loop(load, singles()); }, {}},
      {"weft singles", [&] { return by_weft(load, echo_singles); }, {}},
  };
  if (has_go) rows.push_back({"Go net.UDPConn", [&] { return by_go(load, program); }, {}});
  for (int round = 0; round < rounds; ++round)
    for (Row& row : rows) row.each.push_back(row.run().each());

  const auto ratio = [&](const Row& row, std::size_t to) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < row.each.size(); ++i) ratios.push_back(rows[to].each[i] / row.each[i]);
    return median(ratios);
  };
  std::printf("%d rounds of %d datagrams in bursts of %d; packets per second of the server's CPU\n", rounds,
              load.datagrams, load.burst);
  std::printf("%-16s %10s %14s %14s %10s\n", "", "ns each", "/ bare mmsg", "/ bare single", "/ Go");
  for (const Row& row : rows)
    std::printf("%-16s %10.0f %14.3f %14.3f %10.2f\n", row.name, median(row.each), ratio(row, 0),
                ratio(row, 2), has_go ? ratio(row, 4) : 0.0);
  ::unlink(program.c_str());
  return 0;
}
