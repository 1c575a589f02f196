// SPDX-License-Identifier: Apache-2.0
#include "http_request.hpp"

#include "base/panic.hpp"
#include "http/protocol/replay.hpp"

#include <array>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>

namespace {

using namespace weft::http;
using namespace weft::http::protocol;

struct Plan {
  Cuts cuts;
  Limits limits;
  std::size_t capacity = 20480;
};

Plan plan_of(std::uint8_t cut, std::uint8_t pull, std::uint8_t limit) {
  Plan plan;
  plan.cuts.sizes = {static_cast<std::size_t>(cut & 63) + 1, static_cast<std::size_t>(cut >> 6) * 7 + 1};
  plan.cuts.pull_max = static_cast<std::size_t>(pull) + 1;
  if ((limit & 1) != 0) {
    plan.limits.request_line_size_max = 20;
    plan.limits.head_size_max = 64;
    plan.limits.header_count_max = 3;
  }
  if ((limit & 2) != 0) plan.limits.body_size_max = 10;
  if ((limit & 4) != 0) plan.limits.chunk_overhead_max = 24;
  if ((limit & 8) != 0) plan.capacity = RequestReader::kBodyWindowMin + 100;
  return plan;
}

std::size_t count_of(const ReplayedRequest& request, std::string_view name) {
  std::size_t count = 0;
  for (const auto& [key, value] : request.headers) count += equals_ignoring_case(key, name) ? 1 : 0;
  return count;
}

std::size_t head_size(const ReplayedRequest& request) {
  std::size_t size = to_string(request.method).size() + request.target.size() +
                     sizeof(
                         " "
                         " HTTP/1.1\r\n\r\n") -
                     1;
  for (const auto& [name, value] : request.headers) size += name.size() + value.size() + sizeof(":\r\n") - 1;
  return size;
}

void check_request(const ReplayedRequest& request, const Limits& limits) {
  const std::size_t hosts = count_of(request, "Host");
  const std::size_t lengths = count_of(request, "Content-Length");
  const std::size_t codings = count_of(request, "Transfer-Encoding");
  WEFT_ASSERT(!request.broken, "a view outside of the buffer");
  WEFT_ASSERT(hosts <= 1 && (hosts == 1 || request.version == Version::http_1_0), "not one Host",
              WEFT_VALUE(hosts));
  WEFT_ASSERT(lengths <= 1 && (lengths == 0 || codings == 0), "two framings", WEFT_VALUE(lengths));
  WEFT_ASSERT(codings == 0 || request.version == Version::http_1_1, "a transfer coding in HTTP/1.0");
  WEFT_ASSERT(request.body.empty() || lengths + codings > 0, "a body without framing");
  WEFT_ASSERT(request.body.size() <= limits.body_size_max, "a body above the limit");
  WEFT_ASSERT(head_size(request) <= limits.head_size_max, "a head above the limit");
  WEFT_ASSERT(request.headers.size() <= limits.header_count_max, "too many headers");
  WEFT_ASSERT(!request.path.empty() && (request.path[0] == '/' || request.path == "*"), "a path of no form");
}

// The head in its one canonical form, the body as it was framed.
std::string rewritten(const ReplayedRequest& request) {
  std::string text(to_string(request.method));
  text += " " + request.target + (request.version == Version::http_1_1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\r\n";
  text += "\r\n";
  if (count_of(request, "Transfer-Encoding") == 0) return text + request.body;
  std::ostringstream size;
  size << std::hex << request.body.size();
  if (!request.body.empty()) text += size.str() + "\r\n" + request.body + "\r\n";
  return text + "0\r\n\r\n";
}

void check_round_trip(const ReplayedRequest& request) {
  if (!request.complete) return;
  const Replay again = replay(rewritten(request), {}, {}, 1 << 20);
  WEFT_ASSERT(again.refused_with == 0 && again.requests.size() == 1 && again.requests.front() == request,
              "a request is read differently when written out again");
}

// What is remembered of a head says the same as a look at the next: behind it and in its place.
void check_repeats(const ReplayedRequest& request) {
  if (!request.complete || !request.keep_alive) return;
  const std::string text = rewritten(request);
  for (const std::size_t feeds : std::array<std::size_t, 2>{1, 3}) {
    const Replay again = replay(text + text + text, {{text.size() * 3 / feeds}}, {}, 1 << 20);
    WEFT_ASSERT(again.refused_with == 0 && again.requests.size() == 3, "a repeated request is refused");
    for (const ReplayedRequest& each : again.requests)
      WEFT_ASSERT(each == request, "a repeated request is read differently");
  }
}

void check_same(const Replay& a, const Replay& b) {
  if (a == b) return;
  std::ostringstream text;
  text << a << "\n--- and cut otherwise:\n" << b << "\n";
  std::fputs(text.str().c_str(), stderr);
  WEFT_PANIC("the outcome depends on the cuts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Plan plan = plan_of(data[0], data[1], data[2]);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const Replay whole = replay(bytes, {}, plan.limits, plan.capacity);
  check_same(whole, replay(bytes, plan.cuts, plan.limits, plan.capacity));
  check_same(whole, replay(bytes, {{1}, 1}, plan.limits, plan.capacity));
  for (const ReplayedRequest& request : whole.requests) {
    check_request(request, plan.limits);
    check_round_trip(request);
    check_repeats(request);
  }
  return 0;
}
