// SPDX-License-Identifier: Apache-2.0
// What the protocol half of the HTTP server costs for one request: parse, check, encode.
//
//   bench_http_protocol [requests] [hello|counted|browser|strangers|post]       prints ns per request
//
// hello: the same short request each time. counted: its target differs each time. browser: that, with the
// header lines of a browser. strangers: the same, and a header line differs each time. post: a body of 27
// bytes.
//
// Exact: the slope of instructions between two counts under callgrind (docs/design/http-protocol.md has the
// figures):
//   for n in 1000 11000; do valgrind --tool=callgrind --callgrind-out-file=/dev/null
//   build/release/bin/bench_http_protocol $n; done

#include "http/protocol/request_reader.hpp"
#include "http/protocol/response_encoder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

using namespace weft::http;
using namespace weft::http::protocol;

namespace {

constexpr std::string_view kHello = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
constexpr std::string_view kCounted = "GET /?n=00000000 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
#define BROWSER(NUMBER, COOKIE)                                                                          \
  "GET /?n=" NUMBER                                                                                      \
  " HTTP/1.1\r\nHost: www.example.org\r\nConnection: keep-alive\r\n"                                     \
  "Cache-Control: max-age=0\r\nUpgrade-Insecure-Requests: 1\r\n"                                         \
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 " \
  "Safari/537.36\r\nAccept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"                         \
  "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nAccept-Encoding: gzip, deflate, br\r\n"           \
  "Accept-Language: en-US,en;q=0.9\r\nCookie: session=" COOKIE "; theme=dark\r\n\r\n"
constexpr std::string_view kBrowser = BROWSER("00000000", "5f2b8abc");
constexpr std::string_view kStrangers = BROWSER("5f2b8abc", "00000000");
constexpr std::string_view kPost =
    "POST /?n=00000000 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Type: application/json\r\n"
    "Content-Length: 27\r\n\r\nabcdefghijklmnopqrstuvwxyz.";

struct Kind {
  std::string_view name;
  std::string_view request;
};
constexpr std::array<Kind, 5> kKinds{{{"hello", kHello},
                                      {"counted", kCounted},
                                      {"browser", kBrowser},
                                      {"strangers", kStrangers},
                                      {"post", kPost}}};

// The request, and where it has a number to count, if it has.
struct Requests {
  explicit Requests(std::string_view request) : text(request), number(text.find("00000000")) {}

  void next() {
    if (number == text.npos) return;
    for (std::size_t digit = number + 7; text[digit]++ == '9'; --digit) text[digit] = '0';
  }

  std::string text;
  std::size_t number;
};

std::array<char, 20 * 1024> input;
std::array<char, 8 * 1024> output;

// One exchange; returns the size of the response.
[[gnu::noinline]] std::size_t exchange(RequestReader& reader, ResponseEncoder& encoder, DateLine& date,
                                       std::string_view request) {
  std::memcpy(reader.free_space().data(), request.data(), request.size());
  reader.received(request.size());
  if (reader.parse_head() != HeadStatus::kComplete) return 0;
  encoder.begin({reader.head().method, reader.head().version, reader.head().keep_alive});
  if (!encoder.add_trusted_line("Content-Type: text/plain\r\n")) return 0;
  while (reader.pull_body(input.size()).status == BodyStatus::kData) {}
  const auto response = encoder.finish("Hello world!", date.at(1'700'000'000));
  reader.next();
  return response ? response->head.size() : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const long requests = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1'000'000;
  const std::string_view name = argc > 2 ? argv[2] : "hello";
  const auto kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& each) { return each.name == name; });
  if (requests <= 0 || kind == kKinds.end()) {
    std::fprintf(stderr, "usage: bench_http_protocol [requests] [hello|counted|browser|strangers|post]\n");
    return 2;
  }
  Requests request(kind->request);
  RequestReader reader(input, Limits{});
  ResponseEncoder encoder(output);
  DateLine date;
  std::size_t bytes = 0;
  const auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < requests; ++i, request.next()) bytes += exchange(reader, encoder, date, request.text);
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("%.1f ns a request, %zu bytes a response\n", elapsed.count() / static_cast<double>(requests),
              bytes / static_cast<std::size_t>(requests));
  return bytes == 0;
}
