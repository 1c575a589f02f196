// SPDX-License-Identifier: Apache-2.0
// Every kind of operation of the I/O surface, four times, each within a deadline. It prints how each one
// ended, and at the end what it has kept although everything was closed: descriptors, fibers. inject_test.py
// runs it while system calls fail.
//
//   every_operation [NAME...]       all operations unless some are named

#include <weft/weft.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
namespace fs = weft::fs;
namespace io = weft::io;
namespace net = weft::net;

namespace {

/// Throws what a stranger's test would show: a value that is wrong, which no injected error excuses.
struct WrongValue : std::exception {
  explicit WrongValue(std::string of) : text("WRONG VALUE: " + of) {}
  const char* what() const noexcept override { return text.c_str(); }
  std::string text;
};

void expect(bool holds, const char* what) {
  if (!holds) throw WrongValue(what);
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
  return text;
}

/// What was received must be a beginning of what was sent.
std::string receive_all(io::Reader& reader) {
  std::string all;
  std::array<char, 4096> part;
  for (;;) {
    const weft::Result<std::size_t> n = reader.read_some(part);
    if (n.error() == weft::Errc::end_of_file) return all;
    all.append(part.data(), n.value());
  }
}

/// Runs both; the first one's error ends the other.
void both(const std::function<void()>& one, const std::function<void()>& other) {
  weft::TaskGroup<void> group;
  group.spawn(one);
  group.spawn(other);
  group.wait().value();
}

void through(net::Stream& near, net::Stream& far) {
  const std::string sent = pattern(100'000);
  std::string received;
  both(
      [&] {
        near.write_all(sent).value();
        near.shutdown(net::ShutdownMode::kWrite).value();
      },
      [&] { received = receive_all(far); });
  expect(received == sent, "bytes of a stream");
}

void tcp(std::string_view address) {
  net::TcpListener listener = net::TcpListener::bind(address).value();
  const std::string bound = listener.local_address().value().to_string();
  net::TcpStream accepted;
  net::TcpStream client;
  both([&] { accepted = listener.accept().value(); },
       [&] { client = net::TcpStream::connect(bound).value(); });
  through(client, accepted);
  client.close().value();
  accepted.close().value();
  listener.close().value();
}

void unix_sockets() {
  const std::string name = "@weft-inject-" + std::to_string(::getpid());
  net::UnixListener listener = net::UnixListener::bind(name).value();
  net::UnixStream client = net::UnixStream::connect(name).value();
  net::UnixStream accepted = listener.accept().value();
  through(client, accepted);
  net::UnixStreamPair pair = net::UnixStream::pair().value();
  const std::array<int, 1> file{0};
  expect(pair.first.send_with_files("x", file).value() == 1, "bytes sent with a file");
  char byte = 0;
  net::PassedFiles files(1);
  expect(pair.second.receive_with_files(std::span(&byte, 1), files).value() == 1 && byte == 'x', "a byte");
}

void pipes() {
  io::Pipe pipe = io::make_pipe().value();
  net::UnixStreamPair pair = net::UnixStream::pair().value();
  const std::string sent = pattern(200'000);
  std::string received;
  weft::TaskGroup<void> group;
  group.spawn([&] {
    pipe.writer.write_all(sent).value();
    pipe.writer.close().value();
  });
  group.spawn([&] {
    expect(io::copy(pipe.reader, pair.first).value() == sent.size(), "copied bytes");
    pair.first.shutdown(net::ShutdownMode::kWrite).value();
  });
  group.spawn([&] { received = receive_all(pair.second); });
  group.wait().value();
  expect(received == sent, "bytes of a copy");
}

void udp() {
  net::UdpSocket server = net::UdpSocket::bind("127.0.0.1:0").value();
  net::UdpSocket client = net::UdpSocket::connect(server.local_address().value()).value();
  client.send("one").value();
  std::array<char, 16> buffer;
  const net::ReceivedDatagram got = server.receive_from(buffer).value();
  expect(got.size == 3, "the size of a datagram");
  server.send_to("two", got.from).value();
  net::ReceiveBatch batch(4, 64);
  expect(client.receive_batch(batch).value() == 1, "the size of a batch");
}

void unix_datagrams() {
  net::UnixDatagramPair pair = net::UnixDatagram::pair().value();
  pair.first.send("one").value();
  std::array<char, 16> buffer;
  expect(pair.second.receive_from(buffer).value().size == 3, "the size of a datagram");
}

void files() {
  fs::TemporaryDirectory directory = fs::TemporaryDirectory::create().value();
  const std::string path = directory.path() + "/file";
  const std::string text = pattern(50'000) + "\n";
  {
    fs::File file = fs::File::create(path).value();
    file.write_all(text).value();
    file.sync().value();
    file.lock().value();
    expect(file.status().value().size == text.size(), "the size of a file");
    std::array<char, 10> part;
    fs::File again = fs::File::open(path).value();
    expect(again.pread(part, 1).value() > 0 && part[0] == 'b', "a part of a file");
    file.truncate(20).value();
    file.close().value();
  }
  fs::write_file(path, text).value();
  expect(fs::read_file(path, 1 << 20).value() == text, "a whole file");
  fs::Lines lines = fs::Lines::open(path).value();
  expect(lines.next().value().value().size() == text.size() - 1, "a line");
  fs::create_directories(directory.path() + "/a/b").value();
  fs::rename(path, directory.path() + "/a/b/moved").value();
  fs::Walk walk = fs::Walk::begin(directory.path()).value();
  int entries = 0;
  while (walk.next().value()) ++entries;
  expect(entries == 3, "entries of a walk");
  fs::File moved = fs::File::open(directory.path() + "/a/b/moved").value();
  net::UnixStreamPair pair = net::UnixStream::pair().value();
  std::string received;
  both(
      [&] {
        io::copy(moved, pair.first).value();
        pair.first.shutdown(net::ShutdownMode::kWrite).value();
      },
      [&] { received = receive_all(pair.second); });
  expect(received == text, "a file that was sent");
  directory.remove().value();
}

void processes() {
  expect(weft::process::Command("true").run().value().success(), "an exit status");
  const std::string text = pattern(100'000);
  const weft::process::Output output = weft::process::Command("cat").output({.input = text}).value();
  // A cat that was told of an error says so.
  expect(!output.status.success() || output.output == text, "the output of a program");
}

void signals() {
  weft::SignalSet set({SIGUSR1});
  ::kill(::getpid(), SIGUSR1);
  expect(set.wait().value().number == SIGUSR1, "a signal");
}

void blocking() {
  expect(weft::blocking([] { return 42; }).value() == 42, "a blocking call");
}

void foreign() {
  struct Event {
    int fd = ::eventfd(1, EFD_CLOEXEC);
    ~Event() { ::close(fd); }
  } const event;
  if (event.fd < 0) throw std::system_error(errno, std::system_category(), "eventfd");
  expect(io::wait(event.fd, io::Interest::kReadable).value().readable, "readiness");
  io::Registration kept;
  kept.attach(event.fd).value();
  std::uint64_t count = 0;
  if (::read(event.fd, &count, sizeof count) != 8) return;
  expect(!kept.wait(io::Interest::kReadable, 1ms), "no readiness");
}

void times() {
  weft::sleep(1ms).value();
  weft::sleep_on_boot_clock(1ms).value();
  weft::Ticker ticker(1ms);
  ticker.tick().value();
}

void http() {
  weft::http::Server server;
  server.get("/", [](const weft::http::Request&, weft::http::Response& response) { response.text("hello"); });
  const net::SocketAddress address = server.start("127.0.0.1:0").value();
  std::string answer;
  weft::Result<void> outcome = weft::spawn([&]() -> weft::Result<void> {
                                 auto client = net::TcpStream::connect(address);
                                 if (!client) return client.error();
                                 const std::string_view request =
                                     "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
                                 if (auto sent = client->write_all(request); !sent) return sent.error();
                                 std::array<char, 4096> part;
                                 weft::Result<std::size_t> n = std::size_t{0};
                                 while ((n = client->read_some(part))) answer.append(part.data(), *n);
                                 if (n.error() == weft::Errc::end_of_file) return {};
                                 return n.error();
                               }).join();
  server.stop(weft::Deadline::after(1s));
  server.wait().value();
  outcome.value();
  expect(answer.empty() || answer.substr(0, 9) == "HTTP/1.1 ", "a response");
}

struct Operation {
  std::string_view name;
  std::function<void()> run;
};

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all{
      {"tcp", [] { tcp("127.0.0.1:0"); }},
      {"names", [] { tcp("localhost:0"); }},
      {"unix", unix_sockets},
      {"pipes", pipes},
      {"udp", udp},
      {"unix_datagrams", unix_datagrams},
      {"files", files},
      {"processes", processes},
      {"signals", signals},
      {"blocking", blocking},
      {"foreign", foreign},
      {"times", times},
      {"http", http},
  };
  return all;
}

/// False: a value was wrong.
bool report(const Operation& operation) {
  std::string text = "ok";
  bool right = true;
  try {
    const auto done = weft::with_timeout(2s, [&] { operation.run(); });
    if (!done) text = done.error().message();
  } catch (const WrongValue& wrong) {
    text = wrong.what();
    right = false;
  } catch (const std::exception& error) {
    text = error.what();
  }
  if (text.empty() || text == "Success") right = false;
  std::printf("%.*s: %s\n", static_cast<int>(operation.name.size()), operation.name.data(), text.c_str());
  std::fflush(stdout);
  return right;
}

/// Sockets, pipes, files and processes that are open. What weft keeps for the process has no such name.
std::set<std::string> open_files() {
  std::set<std::string> open;
  for (int fd = 3; fd < 256; ++fd) {
    std::array<char, 256> target{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), target.data(), target.size() - 1) < 0) continue;
    const std::string_view name(target.data());
    if (name.starts_with("anon_inode:") && name != "anon_inode:[pidfd]") continue;
    open.insert(std::to_string(fd) + "=" + std::string(name));
  }
  return open;
}

int run_all(const std::vector<std::string_view>& wanted) {
  weft::ParallelContext context("operations", {.parallelism = 2});
  bool right = true;
  for (int round = 0; round < 4; ++round) {
    for (const Operation& operation : operations()) {
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), operation.name) == wanted.end())
        continue;
      right = context.spawn([&] { return report(operation); }).join_uncancellable() && right;
    }
  }
  // Fibers that were finished may still be on their way to being counted.
  weft::ContextCounters counts = context.counters();
  for (int i = 0; i < 500 && counts.fibers_spawned != counts.fibers_finished; ++i) {
    std::ignore = weft::sleep(10ms);
    counts = context.counters();
  }
  const std::uint64_t fibers = counts.fibers_spawned - counts.fibers_finished;
  if (fibers != 0) std::printf("LEFT: %llu fibers\n", static_cast<unsigned long long>(fibers));
  return right && fibers == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> wanted(argv + 1, argv + argc);
  weft::set_stuck_report_after(0ms);  // a report opens files, and this is slow under strace
  const std::set<std::string> inherited = open_files();
  int status = 1;
  try {
    status = weft::run([&] { return run_all(wanted); });
  } catch (const std::exception& error) {
    std::printf("run: %s\n", error.what());
    return 3;  // the program could not begin
  }
  for (const std::string& file : open_files()) {
    if (inherited.contains(file)) continue;
    std::printf("LEFT: %s\n", file.c_str());
    status = 1;
  }
  return status;
}
