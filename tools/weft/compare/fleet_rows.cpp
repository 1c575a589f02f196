// SPDX-License-Identifier: Apache-2.0
#include "fleet_rows.hpp"

#include <initializer_list>

namespace weft::tool::compare {
namespace {

std::vector<double> each(const std::vector<Turn>& turns, double (Turn::*figure)() const noexcept) {
  std::vector<double> values;
  for (const Turn& turn : turns) {
    if (turn.requests > 0) values.push_back((turn.*figure)());
  }
  return values;
}

// Bounds belong to ratios: those of an absolute figure would only show how the machine drifts.
void put_median(Row& row, const char* key, const std::vector<double>& values) {
  if (!values.empty()) row.figures[key] = {median(values)};
}

/// Those that nothing disturbed, if they are at least half; else all, and a note says so.
std::vector<Ratio> trusted(const std::vector<Ratio>& ratios) {
  std::vector<Ratio> clean;
  for (const Ratio& ratio : ratios) {
    if (!ratio.disturbed) clean.push_back(ratio);
  }
  return clean.size() * 2 >= ratios.size() ? clean : ratios;
}

void put_ratios(Row& row, const std::vector<Ratio>& ratios, bool is_reference) {
  std::vector<double> rates, cpu;
  for (const Ratio& ratio : trusted(ratios)) {
    rates.push_back(ratio.requests_per_second);
    cpu.push_back(ratio.cpu);
  }
  if (is_reference) {
    row.figures["requests_per_second_ratio"] = {1.0};
    row.figures["cpu_ratio"] = {1.0};
  } else if (!cpu.empty()) {
    row.figures["requests_per_second_ratio"] = median_with_bounds(rates);
    row.figures["cpu_ratio"] = median_with_bounds(cpu);
  }
}

void put_latencies(Row& row, const std::vector<Latencies>& runs) {
  std::vector<double> p50, p99, p999;
  for (const Latencies& run : runs) {
    if (run.requests == 0) continue;
    p50.push_back(run.p50_us);
    p99.push_back(run.p99_us);
    p999.push_back(run.p999_us);
  }
  put_median(row, "p50_us", p50);
  put_median(row, "p99_us", p99);
  put_median(row, "p999_us", p999);
}

/// How much the counters together have grown for each request; nothing if the server does not show them.
void put_growth(Row& row, const char* key, const Measured& member, std::initializer_list<const char*> names) {
  double growth = 0;
  for (const char* const name : names) {
    const auto before = member.before.find(name);
    const auto after = member.after.find(name);
    if (before == member.before.end() || after == member.after.end()) return;
    growth += after->second - before->second;
  }
  if (member.counted_requests > 0) row.figures[key] = {growth / member.counted_requests};
}

void put_counters(Row& row, const Measured& member) {
  put_growth(row, "epoll_ctl", member,
             {"event_loop.registrations", "event_loop.modifications", "event_loop.deletions"});
  put_growth(row, "epoll_wait", member, {"event_loop.polls"});
  put_growth(row, "transfers", member, {"event_loop.transfers"});
  put_growth(row, "local_enqueues", member, {"scheduler.local_enqueues"});
  put_growth(row, "global_enqueues", member, {"scheduler.global_enqueues"});
  put_growth(row, "steals", member, {"scheduler.steals"});
  put_growth(row, "cross_context_wakeups", member, {"event_loop.cross_context_wakeups"});
  put_growth(row, "useless_edges", member, {"event_loop.unawaited_edges"});
}

// Of the loops' calls there are counters too, which do not slow the server down: they count if they are
// there.
void put_syscalls(Row& row, const Measured& member) {
  if (!member.syscalls || member.traced_requests <= 0) return;
  const auto put = [&](const char* key, std::uint64_t calls) {
    row.figures.insert({key, {static_cast<double>(calls) / member.traced_requests}});
  };
  put("epoll_ctl", member.syscalls->epoll_ctl);
  put("epoll_wait", member.syscalls->epoll_wait);
  put("read", member.syscalls->read);
  put("write", member.syscalls->write);
  put("futex", member.syscalls->futex);
  put("eventfd", member.syscalls->event_fd);
}

}  // namespace

std::vector<Column> fleet_columns() {
  return {{"requests_per_second", "requests/s", 0, 0},
          {"requests_per_second_ratio", "x reference", 3, 0},
          {"cpu_us_per_request", "CPU us/request", 2, 0},
          {"cpu_ratio", "x reference", 3, 0},
          {"p50_us", "p50 us", 0, 0},
          {"p99_us", "p99 us", 0, 0},
          {"p999_us", "p99.9 us", 0, 0},
          {"epoll_ctl", "epoll_ctl", 3, 1},
          {"epoll_wait", "epoll_wait", 3, 1},
          {"read", "read", 3, 1},
          {"write", "write", 3, 1},
          {"futex", "futex", 3, 1},
          {"eventfd", "eventfd", 3, 1},
          {"transfers", "transfers", 3, 1},
          {"local_enqueues", "local enq.", 3, 1},
          {"global_enqueues", "global enq.", 3, 1},
          {"steals", "steals", 3, 1},
          {"cross_context_wakeups", "cross-context", 3, 1},
          {"useless_edges", "useless edges", 3, 1}};
}

void fill_row(Row& row, const Measured& member, bool is_reference) {
  if (!row.measured()) return;
  put_median(row, "requests_per_second", each(member.turns, &Turn::requests_per_second));
  put_median(row, "cpu_us_per_request", each(member.turns, &Turn::cpu_us_per_request));
  put_ratios(row, member.ratios, is_reference);
  put_latencies(row, member.latencies);
  put_counters(row, member);
  put_syscalls(row, member);
}

std::vector<Row> fleet_rows(const Fleet& fleet, void (*add_figures)(Row& row, const Measured& member)) {
  std::vector<Row> rows;
  for (const Measured& member : fleet.members()) {
    rows.push_back(member.entry.row);
    fill_row(rows.back(), member, member.is_reference);
    if (add_figures != nullptr && rows.back().measured()) add_figures(rows.back(), member);
  }
  return rows;
}

}  // namespace weft::tool::compare
