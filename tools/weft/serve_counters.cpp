// SPDX-License-Identifier: Apache-2.0
#include "serve_counters.hpp"

#include "execution_context/context_registry.hpp"

#include <weft/http/server.hpp>

#include <map>
#include <set>

#include <nlohmann/json.hpp>

namespace weft::tool {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ContextCounters& counters) {
  return {{"fibers_spawned", counters.fibers_spawned},
          {"fibers_finished", counters.fibers_finished},
          {"switches", counters.switches},
          {"local_enqueues", counters.local_enqueues},
          {"global_enqueues", counters.global_enqueues},
          {"overflows", counters.overflows},
          {"steals", counters.steals},
          {"stolen_fibers", counters.stolen_fibers},
          {"parks", counters.parks},
          {"unparks", counters.unparks},
          {"put_off_writes", counters.put_off_writes},
          {"write_batches", counters.write_batches}};
}

Json to_json(const EventLoopCounters& counters) {
  return {{"registrations", counters.registrations},
          {"modifications", counters.modifications},
          {"deletions", counters.deletions},
          {"transfers", counters.transfers},
          {"failed_registrations", counters.failed_registrations},
          {"polls", counters.polls},
          {"empty_polls", counters.empty_polls},
          {"events", counters.events},
          {"stale_events", counters.stale_events},
          {"unawaited_edges", counters.unawaited_edges},
          {"wakeups", counters.wakeups},
          {"cross_context_wakeups", counters.cross_context_wakeups},
          {"interrupts", counters.interrupts},
          {"timers_fired", counters.timers_fired},
          {"spins", counters.spins},
          {"useful_spins", counters.useful_spins}};
}

/// The context that a loop of a thread of its own belongs to; for all others the context itself.
Context& whole_of(Context& context) { return context.isolated() ? context : context.spawn_context(); }

void add(Json& total, const Json& counters) {
  if (total.is_null()) total = Json::object();
  for (const auto& [name, value] : counters.items()) {
    total[name] = total.value(name, std::uint64_t{0}) + value.get<std::uint64_t>();
  }
}

}  // namespace

std::string counters_json() {
  std::map<const Context*, Json> contexts;
  Json schedulers = Json::object();
  Json loops = Json::object();
  std::set<const EventLoop*> seen;
  ContextRegistry::instance().for_each([&](Context& context) {
    const Context& whole = whole_of(context);
    Json& object = contexts[&whole];
    const Json loop = to_json(context.event_loop().counters());
    add(object["event_loop"], loop);
    if (seen.insert(&context.event_loop()).second) add(loops, loop);
    if (&whole != &context) return;
    object["name"] = context.name();
    object["parallelism"] = context.parallelism();
    object["scheduler"] = to_json(context.counters());
    add(schedulers, object["scheduler"]);
  });
  Json list = Json::array();
  for (const auto& [context, object] : contexts) list.push_back(object);
  return Json{{"contexts", list}, {"total", {{"scheduler", schedulers}, {"event_loop", loops}}}}.dump();
}

void add_counters_route(http::Server& server, const std::string& path) {
  server.get(path, [](const http::Request&, http::Response& response) {
    response.body(counters_json(), "application/json");
  });
}

}  // namespace weft::tool
