// SPDX-License-Identifier: Apache-2.0
#include "http_server.hpp"

#include "base/panic.hpp"
#include "http/protocol/replay.hpp"
#include "http_replies.hpp"
#include "http_server_plan.hpp"
#include "support/sim_context.hpp"

#include <weft/http/server.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/this_fiber.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace weft;
using namespace weft::http;
using namespace weft::http::fuzz;
using protocol::Replay;
using protocol::ReplayedRequest;

/// What a handler got.
struct Seen {
  Method method;
  std::string target;
  std::string body;
  Action action;
  bool whole = false;  ///< the body was read to its end
};

// -- the server

void read_some(const Request& request, std::size_t size, Seen& seen, Response* to = nullptr) {
  std::vector<std::byte> buffer(size);
  for (;;) {
    const Result<std::size_t> n = request.read_some(buffer);
    if (!n) {
      seen.whole = n.error() == make_error_code(Errc::end_of_file);
      return;
    }
    WEFT_ASSERT(*n >= 1 && *n <= size, "a read of no size", WEFT_VALUE(*n));
    seen.body.append(reinterpret_cast<const char*>(buffer.data()), *n);
    if (to != nullptr && !to->write(std::span(buffer).first(*n))) return;
  }
}

void read_all(const Request& request, std::uint64_t size_max, Seen& seen) {
  const Result<std::string> body = request.read_all(size_max);
  seen.whole = body.has_value();
  if (body) seen.body = *body;
}

void write_something(Response& response) {
  [[maybe_unused]] const Result<void> written = response.write("something");
}

void misuse(Action action, Response& response) {
  switch (action) {
    case Action::kThrowInt: throw 42;
    case Action::kBadStatus: response.status(static_cast<Status>(101)).text("not sent"); break;
    case Action::kStatusAfterWrite:
      write_something(response);
      response.status(Status::not_found);
      break;
    case Action::kBodyAfterWrite:
      write_something(response);
      response.text(std::string(3000, 'x'));
      break;
    case Action::kThrowAfterWrite: write_something(response); throw "text";
    case Action::kNoContentWithBody: response.status(Status::no_content).text("a body"); break;
    case Action::kWrongLength:
      if (response.header("Content-Length", "3")) response.text("four");
      break;
    case Action::kBadContentType: response.body("x", std::string(70'000, 'x')); break;
    default:
      while (response.header("X", std::string(300, 'x'))) {}
      while (response.header("X", "")) {}
      response.text("full");
  }
}

void handle(const Plan& plan, std::size_t n, const Request& request, Response& response, Seen& seen) {
  switch (seen.action) {
    case Action::kReadAll: read_all(request, kUnlimited, seen); return response.text(seen.body);
    case Action::kReadSome: read_some(request, plan.read_size(n), seen); return response.text(seen.body);
    case Action::kStream: return read_some(request, plan.read_size(n), seen, &response);
    case Action::kReadAllLimited:
      read_all(request, kReadLimit, seen);
      return response.text(seen.whole ? seen.body : "too large");
    case Action::kIgnore: return response.text("ignored");
    case Action::kReadSomeThenThrow: read_some(request, plan.read_size(n), seen); throw seen.body.size();
    default: return misuse(seen.action, response);
  }
}

// -- the client

void send_in_pieces(const Plan& plan, net::TcpStream& stream) {
  std::string_view rest = plan.bytes;
  for (std::size_t n = 0; !rest.empty(); ++n) {
    const std::string_view piece = rest.substr(0, plan.cut(n));
    if (!stream.write_all(piece)) return;
    rest.remove_prefix(piece.size());
    if (plan.pauses() && n < 1000) {
      [[maybe_unused]] const Result<void> slept = sleep(std::chrono::milliseconds(1));
    } else {
      yield();
    }
  }
  [[maybe_unused]] const Result<void> ended = stream.shutdown(net::ShutdownMode::kWrite);
}

std::string exchange(const Plan& plan, Server& server, const net::SocketAddress& address) {
  net::TcpStream stream = net::TcpStream::connect(address).value();
  auto writer = spawn([&] { send_in_pieces(plan, stream); });
  std::string received;
  std::array<std::byte, 4096> part;
  if (plan.leaves()) {
    yield();
    [[maybe_unused]] const Result<void> closed = stream.close();
  } else {
    while (const Result<std::size_t> n = stream.read_some(part)) {
      received.append(reinterpret_cast<const char*>(part.data()), *n);
      if (plan.stops_midway()) server.stop();
    }
  }
  writer.join_uncancellable();
  return received;
}

// -- what has to hold

void check_seen(const std::vector<const ReplayedRequest*>& expected,
                const std::vector<std::unique_ptr<Seen>>& seen) {
  WEFT_ASSERT(seen.size() <= expected.size(), "a handler got a request that was not sent",
              WEFT_VALUE(seen.size()));
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const ReplayedRequest& request = *expected[i];
    WEFT_ASSERT(seen[i]->method == request.method && seen[i]->target == request.target,
                "a handler got another request", WEFT_VALUE(i));
    WEFT_ASSERT(request.body.starts_with(seen[i]->body), "a handler got another body", WEFT_VALUE(i),
                WEFT_VALUE(seen[i]->body.size()), WEFT_VALUE(request.body.size()));
    WEFT_ASSERT(!seen[i]->whole || (request.complete && seen[i]->body == request.body),
                "a body looked whole that was not", WEFT_VALUE(i));
  }
}

/// The status of the answer to a whole request; 0: one that is cut off.
int status_for(Action action, const ReplayedRequest& request) {
  switch (action) {
    case Action::kReadSomeThenThrow:
    case Action::kThrowInt:
    case Action::kBadStatus:
    case Action::kWrongLength:
    case Action::kBadContentType:
    case Action::kFullHeaders: return 500;
    case Action::kStatusAfterWrite:
    case Action::kBodyAfterWrite:
    case Action::kThrowAfterWrite: return 0;
    case Action::kNoContentWithBody: return 204;
    default: return static_cast<void>(request), 200;
  }
}

std::string body_for(Action action, const ReplayedRequest& request) {
  switch (action) {
    case Action::kReadAll:
    case Action::kReadSome:
    case Action::kStream: return request.body;
    case Action::kReadAllLimited: return request.body.size() <= kReadLimit ? request.body : "too large";
    case Action::kIgnore: return "ignored";
    default: return "";
  }
}

void check_reply(const ReadReply& reply, Action action, const ReplayedRequest& request, std::size_t i) {
  const int status = status_for(action, request);
  const bool head = request.method == Method::head;
  if (status == 0) {
    // HTTP/1.0 without a length cannot tell.
    WEFT_ASSERT(head || request.version == Version::http_1_0 || !reply.whole, "a mistake looks whole",
                WEFT_VALUE(i));
    return;
  }
  WEFT_ASSERT(reply.status == status && reply.whole, "another answer than the handler's", WEFT_VALUE(i),
              PanicValue{"expected", static_cast<std::uint64_t>(status)},
              PanicValue{"got", static_cast<std::uint64_t>(reply.status)});
  WEFT_ASSERT(status != 200 || head || reply.body == body_for(action, request),
              "another body than the handler's", WEFT_VALUE(i), WEFT_VALUE(reply.body.size()));
}

void check_replies(const Replay& replay, const std::vector<std::unique_ptr<Seen>>& seen,
                   std::string_view received) {
  ReplyReader reader(received);
  std::size_t handled = 0;
  for (std::size_t i = 0; i < replay.requests.size(); ++i) {
    const ReplayedRequest& request = replay.requests[i];
    const bool of_server = request.path == "*";
    if (!of_server && handled == seen.size()) break;
    const ReadReply reply = reader.next(request.method);
    if (request.complete && !of_server) check_reply(reply, seen[handled]->action, request, i);
    // Of a body that the handler left, the server reads no more than it likes, and then closes.
    const bool left = of_server ? !request.body.empty() : !seen[handled]->whole && !request.body.empty();
    handled += of_server ? 0 : 1;
    if (!reply.whole || reply.closes() || !request.complete || (left && reader.at_end())) return;
  }
  WEFT_ASSERT(handled == seen.size(), "requests without answers");
  if (replay.refused_with != 0 && (replay.requests.empty() || replay.requests.back().complete)) {
    const ReadReply reply = reader.next(Method::get);
    WEFT_ASSERT(reply.status == replay.refused_with && reply.whole && reply.closes(), "another refusal",
                PanicValue{"expected", static_cast<std::uint64_t>(replay.refused_with)},
                PanicValue{"got", static_cast<std::uint64_t>(reply.status)});
  }
  WEFT_ASSERT(reader.at_end(), "more was sent than was asked for");
}

void check_plan(const Plan& plan, const Replay& replay) {
  if (!plan.planned || replay.refused_with != 0) return;
  WEFT_ASSERT(replay.requests.size() == plan.bodies.size(), "requests were lost",
              WEFT_VALUE(plan.bodies.size()));
  for (std::size_t i = 0; i < plan.bodies.size(); ++i)
    WEFT_ASSERT(replay.requests[i].body == plan.bodies[i], "a body is not what was encoded", WEFT_VALUE(i));
}

void serve(const Plan& plan) {
  std::vector<std::unique_ptr<Seen>> seen;
  std::string received;
  test::SimContext("world", plan.world())
      .spawn([&] {
        Server server(plan.limits());
        for (std::size_t i = 0; i < kMethodCount; ++i) {
          server.route(static_cast<Method>(i), "/*rest", [&](const Request& request, Response& response) {
            const std::size_t n = seen.size();
            seen.push_back(std::make_unique<Seen>(
                Seen{request.method(), std::string(request.target()), {}, plan.action(n)}));
            handle(plan, n, request, response, *seen.back());
          });
        }
        received = exchange(plan, server, server.start("10.0.0.1:80").value());
        server.stop();
        WEFT_ASSERT(server.wait().has_value() && server.counters().open_connections == 0, "it does not end");
      })
      .join_uncancellable();
  const Replay replay = protocol::replay(plan.bytes, {}, plan.limits());
  check_plan(plan, replay);
  std::vector<const ReplayedRequest*> expected;
  for (const ReplayedRequest& request : replay.requests) {
    if (request.path != "*") expected.push_back(&request);
  }
  check_seen(expected, seen);
  if (!plan.leaves() && !plan.stops_midway()) check_replies(replay, seen, received);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < Plan::kHeaderSize) return 0;
  serve(Plan(std::string_view(reinterpret_cast<const char*>(data), size)));
  return 0;
}
