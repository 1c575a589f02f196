// SPDX-License-Identifier: Apache-2.0
// The echo server of the README: one fiber for each connection.
//
//   echo_server [ADDRESS]        127.0.0.1:7000 unless given; try: nc 127.0.0.1 7000; ends on Ctrl-C

#include <weft/weft.hpp>

#include <array>
#include <cstdio>

int main(int argc, char** argv) {
  const char* const address = argc > 1 ? argv[1] : "127.0.0.1:7000";
  return weft::run({.stop_on = {SIGINT, SIGTERM}}, [address] {  // a fiber of the default context
    auto listener = weft::net::TcpListener::bind(address).value();
    std::printf("listening at %s\n", listener.local_address().value().to_string().c_str());
    std::fflush(stdout);
    while (auto stream = listener.accept()) {  // fails after Ctrl-C
      weft::spawn([stream = std::move(*stream)]() mutable {
        std::array<std::byte, 4096> buffer;
        while (auto n = stream.read_some(buffer))  // suspends this fiber only
          if (!stream.write_all(std::span(buffer).first(*n))) break;
      });
    }
  });
}
