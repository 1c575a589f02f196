// SPDX-License-Identifier: Apache-2.0
// What the protocol half of the HTTP server costs for one hello request: parse, check, encode.
//
//   bench_http_protocol [requests]       prints ns per request
//
// Exact: the slope of instructions between two counts under callgrind (docs/design/http-protocol.md has the
// figures):
//   for n in 1000 11000; do valgrind --tool=callgrind --callgrind-out-file=/dev/null
//   build/release/bin/bench_http_protocol $n; done

#include "http/protocol/request_reader.hpp"
#include "http/protocol/response_encoder.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace weft::http;
using namespace weft::http::protocol;

namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";

std::array<char, 20 * 1024> input;
std::array<char, 8 * 1024> output;

// One exchange; returns the size of the response.
[[gnu::noinline]] std::size_t exchange(RequestReader& reader, ResponseEncoder& encoder, DateLine& date) {
  std::memcpy(reader.free_space().data(), kRequest.data(), kRequest.size());
  reader.received(kRequest.size());
  if (reader.parse_head() != HeadStatus::kComplete) return 0;
  encoder.begin({reader.head().method, reader.head().version, reader.head().keep_alive});
  if (!encoder.add_trusted_line("Content-Type: text/plain\r\n")) return 0;
  const auto response = encoder.finish("Hello world!", date.at(1'700'000'000));
  reader.next();
  return response ? response->head.size() : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const long requests = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1'000'000;
  if (requests <= 0) {
    std::fprintf(stderr, "usage: bench_http_protocol [requests]\n");
    return 2;
  }
  RequestReader reader(input, Limits{});
  ResponseEncoder encoder(output);
  DateLine date;
  std::size_t bytes = 0;
  const auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < requests; ++i) bytes += exchange(reader, encoder, date);
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  std::printf("%.1f ns a request, %zu bytes a response\n", elapsed.count() / static_cast<double>(requests),
              bytes / static_cast<std::size_t>(requests));
  return bytes == 0;
}
