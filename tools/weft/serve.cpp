// SPDX-License-Identifier: Apache-2.0
#include "serve.hpp"

#include "base/panic.hpp"
#include "event_loop/polling/read_policy.hpp"
#include "handler_library.hpp"
#include "serve_counters.hpp"

#include <weft/weft.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <exception>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

namespace weft::tool {
namespace {

const std::map<std::string, ServeContext> kContextNames{{"parallel", ServeContext::kParallel},
                                                        {"concurrent", ServeContext::kConcurrent},
                                                        {"sharded", ServeContext::kSharded}};

ServeContext context_named(const std::string& name) {
  const auto found = kContextNames.find(name);
  if (found == kContextNames.end())
    throw CLI::ValidationError("--context", name + " is none of parallel, concurrent, sharded");
  return found->second;
}

/// What a name on the command line stands for.
std::map<std::string, EventLoopStrategy> strategy_names() {
  std::map<std::string, EventLoopStrategy> names;
  for (const EventLoopStrategy& strategy : EventLoopStrategy::named()) names[strategy.to_string()] = strategy;
  return names;
}

void say_hello(const http::Request&, http::Response& response) { response.text("Hello world!"); }

/// The body comes back, as it comes in.
void echo(const http::Request& request, http::Response& response) {
  std::array<std::byte, 2048> buffer;
  const auto type = request.header("Content-Type").value_or("application/octet-stream");
  if (!response.header("Content-Type", type)) return;
  if (const auto length = request.content_length()) {
    if (!response.header("Content-Length", std::to_string(*length))) return;
  }
  while (const Result<std::size_t> n = request.read_some(buffer)) {
    if (!response.write(std::span(buffer).first(*n))) return;
  }
}

void add_own_routes(http::Server& server) {
  server.get("/", say_hello).get("/hello", say_hello);
  server.post("/echo", echo).put("/echo", echo);
}

void add_routes(http::Server& server, const ServeCommand& command) {
  if (command.handler.empty()) {
    add_own_routes(server);
  } else {
    add_routes_of_library(server, command.handler);
  }
  if (!command.counters_path.empty()) add_counters_route(server, command.counters_path);
}

/// The contexts that serve; empty: the default context does.
class ServingContexts {
 public:
  ServingContexts(ServeContext kind, std::uint32_t threads) {
    if (kind == ServeContext::kConcurrent) sharded_.push_back(std::make_unique<ConcurrentContext>("serve"));
    for (std::uint32_t i = 0; kind == ServeContext::kSharded && i < threads; ++i) {
      sharded_.push_back(std::make_unique<ConcurrentContext>("shard-" + std::to_string(i)));
    }
  }

  http::Contexts list() const {
    std::vector<ExecutionContext*> contexts;
    for (const auto& context : sharded_) contexts.push_back(context.get());
    return contexts;
  }

 private:
  std::vector<std::unique_ptr<ConcurrentContext>> sharded_;
};

/// Not held up by a reader that does not read: the server goes on, and ends.
void say(const std::string& what) { write_to_stderr({"weft serve: ", what, "\n"}); }

int fail(const std::string& what) {
  say(what);
  return 1;
}

/// The command line is wrong.
int wrong_usage(const std::string& what) {
  say(what);
  return kWrongUsage;
}

void say_listening(const net::SocketAddress& address) { say("listening at http://" + address.to_string()); }

/// These three return the exit code of a start that failed, when they have said why; else 0.
int start_at_address(http::Server& server, const ServeCommand& command, const http::ServeOptions& options) {
  const Result<net::SocketAddress> bound = server.start(command.address, options);
  if (bound.error() == Errc::invalid_address) return wrong_usage(bound.message());
  if (!bound) return fail(bound.message());
  return say_listening(*bound), 0;
}

int start_with_passed(http::Server& server, const http::ServeOptions& options) {
  const Result<std::vector<net::ListenFd>> passed = net::listen_fds();
  if (!passed) return fail("wrong LISTEN_FDS: " + passed.error().message());
  if (passed->empty()) return fail("no sockets were passed: LISTEN_FDS and LISTEN_PID of this process");
  for (const net::ListenFd& each : *passed) {
    Result<net::TcpListener> listener = net::TcpListener::adopt(each.fd);
    const Result<net::SocketAddress> bound =
        listener ? server.start(std::move(*listener), options) : listener.error();
    if (!bound)
      return fail("cannot use descriptor " + std::to_string(each.fd) + ": " + bound.error().message());
    say_listening(*bound);
  }
  return 0;
}

int start(http::Server& server, const ServeCommand& command, const http::ServeOptions& options) {
  return command.listen_fds ? start_with_passed(server, options) : start_at_address(server, command, options);
}

int serve(const ServeCommand& command) {
  const ServingContexts contexts(command.context, command.threads);
  http::Server server(command.limits());
  try {
    add_routes(server, command);
  } catch (const std::exception& error) {
    return wrong_usage(error.what());
  }
  dump_on_signal(SIGQUIT);
  CancelScope until_signal;  // within that of stop_on
  const std::stop_callback draining(until_signal.token().stop_token(), [&command] {
    say("draining, at most " + std::to_string(command.drain_seconds) + " s; once more to stop at once");
  });
  const http::ServeOptions options{.contexts = contexts.list(),
                                   .reuse_port = command.reuse_port,
                                   .batch_responses = !command.no_response_batches};
  if (const int failed = start(server, command, options); failed != 0) return failed;
  if (const Result<void> waited = server.wait(); !waited && waited.error() != Errc::cancelled)
    return fail(waited.error().message());
  say("served " + std::to_string(server.counters().connections) + " connections");
  return 0;
}

}  // namespace

CLI::App* ServeCommand::add_to(CLI::App& app) {
  CLI::App* const serve = app.add_subcommand("serve", "Serve HTTP/1.1: GET / and /hello, POST /echo");
  serve->add_option("--address", address, "HOST:PORT to listen at; port 0 takes a free one")
      ->capture_default_str();
  serve->add_option("--threads", threads, "threads that serve")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  serve
      ->add_option_function<std::string>(
          "--context", [this](const std::string& name) { context = context_named(name); },
          "parallel: threads share the connections; concurrent: one thread; sharded: each "
          "thread has connections of its own (SO_REUSEPORT)")
      ->type_name("parallel|concurrent|sharded")
      ->default_str("parallel");
  serve
      ->add_option_function<std::string>(
          "--strategy",
          [this](const std::string& name) { strategy = EventLoopStrategy::parse(name).value(); },
          "how event loops and files are related, for all contexts")
      ->check(CLI::IsMember(strategy_names()))
      ->envname("WEFT_STRATEGY");
  serve->add_option("--drain-seconds", drain_seconds, "time for open connections after SIGINT or SIGTERM")
      ->capture_default_str();
  add_sharing_options(*serve);
  serve
      ->add_option("--counters-path", counters_path, "show the counters of contexts and loops there, as JSON")
      ->type_name("PATH");
  serve->add_option("--handler", handler, "take the routes from this shared object: its weft_add_routes()")
      ->check(CLI::ExistingFile)
      ->type_name("FILE");
  serve->add_flag("--read-to-eagain", read_to_eagain,
                  "read again after a short read; one more system call for each request");
  serve->add_flag("--no-response-batches", no_response_batches,
                  "send each response by itself, at once; one system call for each");
  return serve;
}

// How another process takes over: docs/guide/deployment.md.
void ServeCommand::add_sharing_options(CLI::App& serve) {
  serve
      .add_option(
          "--idle-grace", idle_grace_ms,
          "after SIGINT or SIGTERM, time for one more request on open connections; default: 1000 with "
          "--reuse-port or --listen-fds, else 0")
      ->type_name("MILLISECONDS");
  CLI::Option* const shares = serve.add_flag("--reuse-port", reuse_port,
                                             "share the port with other processes that do (SO_REUSEPORT)");
  serve
      .add_flag("--listen-fds", listen_fds,
                "use the sockets that the process was started with (LISTEN_FDS, as systemd passes them)")
      ->excludes("--address")
      ->excludes(shares);
}

http::Limits ServeCommand::limits() const {
  const std::uint32_t grace_ms = idle_grace_ms.value_or(reuse_port || listen_fds ? 1000 : 0);
  return {.idle_grace = std::chrono::milliseconds(grace_ms),
          .cancel_grace = std::chrono::seconds(drain_seconds)};
}

int ServeCommand::run() const {
  if (context == ServeContext::kConcurrent && threads != 1)
    return wrong_usage("--context concurrent has exactly one thread");
  if (read_to_eagain) set_read_policy(ReadPolicy::kToEagain);
  const std::uint32_t parallelism = context == ServeContext::kParallel ? threads : 1;
  try {
    return weft::run({.parallelism = parallelism, .strategy = strategy, .stop_on = {SIGINT, SIGTERM}},
                     [this] { return serve(*this); });
  } catch (const std::system_error& error) {
    return fail(error.what());  // out of threads or descriptors
  }
}

}  // namespace weft::tool
