// SPDX-License-Identifier: Apache-2.0
#include "cpu_plan.hpp"

#include <algorithm>
#include <sched.h>

namespace weft::tool::compare {
namespace {

std::string cores(std::size_t count) { return std::to_string(count) + (count == 1 ? " core" : " cores"); }

bool overlap(const std::vector<int>& one, const std::vector<int>& other) {
  return std::any_of(one.begin(), one.end(),
                     [&](int cpu) { return std::find(other.begin(), other.end(), cpu) != other.end(); });
}

std::string label_of(const CpuPlan& plan, std::uint32_t threads) {
  std::string label;
  if (threads > plan.server.size())
    label = "more threads than cores: " + std::to_string(threads) + " on " + cores(plan.server.size());
  if (overlap(plan.server, plan.load))
    label += std::string(label.empty() ? "" : ", ") + "shared with the load";
  return label;
}

}  // namespace

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

CpuPlan plan_cpus(const std::vector<int>& allowed, std::uint32_t threads, const std::vector<int>& server,
                  const std::vector<int>& load) {
  CpuPlan plan{server, load};
  if (plan.load.empty()) plan.load = {allowed.back()};
  if (plan.server.empty()) {
    const bool apart = allowed.size() > threads;
    plan.server = {allowed.begin(), allowed.end() - (apart ? 1 : 0)};
  }
  plan.label = label_of(plan, threads);
  return plan;
}

}  // namespace weft::tool::compare
