// SPDX-License-Identifier: Apache-2.0
// One read of a TCP stream, counted by gcov: what ran before and after it is not. Of a build of the preset
// coverage, by tools/read_path.py.
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <array>
#include <cstdio>
#include <string_view>
#include <thread>
#include <unistd.h>

extern "C" void __gcov_reset();
extern "C" void __gcov_dump();

namespace {

/// A fiber reads again and again, so that all that happens once only has happened; then it is counted.
void read_counted(bool waits) {
  auto listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
  auto writer = weft::net::TcpStream::connect(listener.local_address().value()).value();
  auto reader = listener.accept().value();
  std::array<std::byte, 8> buffer;
  // A plain write of the peer's, by a thread of its own when the fiber shall wait.
  const auto write = [fd = writer.native_handle()] {
    if (::write(fd, "abcd", 4) != 4) std::perror("write");
  };
  for (int i = 0; i < 10; ++i) {
    std::thread later;
    if (waits) {
      later = std::thread([&] {
        ::usleep(50'000);
        write();
      });
    } else {
      write();
      reader.wait_readable().value();  // until the event loop knows: before, a read does not try
    }
    if (i == 9) __gcov_reset();
    const auto n = reader.read_some(buffer);
    if (i == 9) __gcov_dump();
    if (n.value() != 4) std::puts("another size");
    if (later.joinable()) later.join();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool waits = argc > 1 && std::string_view(argv[1]) == "waits";
  return weft::run([&] { read_counted(waits); });
}
