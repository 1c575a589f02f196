// SPDX-License-Identifier: Apache-2.0
// A program that serves HTTP with weft and parses it with an llhttp of its own: neither calls the other's
// events.
#include <weft/weft.hpp>

#include <array>
#include <cstdio>
#include <span>
#include <string_view>

#include <llhttp.h>

namespace {

constexpr std::string_view kRequest = "GET /own HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// The size of the target, as this program's llhttp tells it.
std::size_t target_size_by_own_llhttp() {
  static std::size_t found = 0;
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_url = [](llhttp_t*, const char*, std::size_t size) {
    found += size;
    return 0;
  };
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  return llhttp_execute(&parser, kRequest.data(), kRequest.size()) == HPE_OK ? found : 0;
}

/// Whether weft's server, with its own, finds the route.
bool served_by_weft() {
  weft::http::Server server;
  server.get("/own",
             [](const weft::http::Request&, weft::http::Response& response) { response.text("found"); });
  const auto address = server.start("127.0.0.1:0").value();
  auto stream = weft::net::TcpStream::connect(address).value();
  const bool sent = static_cast<bool>(stream.write_all(std::as_bytes(std::span(kRequest))));
  std::array<char, 1024> answer{};
  std::size_t size = 0;
  while (auto n = stream.read_some(std::as_writable_bytes(std::span(answer).subspan(size)))) size += *n;
  server.stop();
  return sent && server.wait() && std::string_view(answer.data(), size).ends_with("found");
}

}  // namespace

int main() {
  return weft::run([] {
    const std::size_t size = target_size_by_own_llhttp();
    const bool served = served_by_weft();
    std::printf("own llhttp: a target of %zu bytes; weft: %s\n", size, served ? "served" : "NOT SERVED");
    return size == 4 && served ? 0 : 1;
  });
}
