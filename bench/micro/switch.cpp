// SPDX-License-Identifier: Apache-2.0
// What a switch costs, beside Boost's jump_fcontext in the same run; what a fiber costs from create to reuse;
// and what a million suspended fibers hold.
//
//   bench_switch                 the times: medians over interleaved rounds
//   bench_switch parked [COUNT]  the memory: RSS, page tables and mappings

#include "fiber/context/switch.hpp"
#include "fiber/fiber.hpp"
#include "fiber/join.hpp"
#include "sys/memory_usage.hpp"

#include <algorithm>
#include <boost/context/detail/fcontext.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace weft;

constexpr int kRounds = 31;
constexpr int kSwitches = 200'000;

double now() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Collects one figure per round.
struct Figure {
  const char* name;
  std::vector<double> ns{};

  double median() {
    std::sort(ns.begin(), ns.end());
    return ns[ns.size() / 2];
  }
};

alignas(64) std::byte raw_stack[64 * 1024];
alignas(64) std::byte flow_stack[64 * 1024];
alignas(64) std::byte boost_stack[64 * 1024];

MachineContext raw_root, raw_other;

void raw_loop(void*) {
  for (;;) switch_context(raw_other, raw_root);
}

double raw_switch() {
  const double start = now();
  for (int i = 0; i < kSwitches / 2; ++i) switch_context(raw_root, raw_other);
  return (now() - start) / kSwitches;
}

Flow flow_root, flow_other;

// Both at the same place, as fibers do that run the same function: their returns are predicted then.
[[gnu::noinline]] void switch_often(Flow& mine, Flow& other, int count) {
  for (int i = 0; i < count; ++i) switch_flow(mine, other);
}

void flow_loop(void*) {
  flow_started(flow_other);
  for (;;) switch_often(flow_other, flow_root, kSwitches);
}

double flow_switch() {
  const double start = now();
  switch_often(flow_root, flow_other, kSwitches / 2);
  return (now() - start) / kSwitches;
}

namespace boost_context = boost::context::detail;
boost_context::fcontext_t boost_other;

void boost_loop(boost_context::transfer_t transfer) {
  for (;;) transfer = boost_context::jump_fcontext(transfer.fctx, nullptr);
}

double boost_switch() {
  const double start = now();
  for (int i = 0; i < kSwitches / 2; ++i)
    boost_other = boost_context::jump_fcontext(boost_other, nullptr).fctx;
  return (now() - start) / kSwitches;
}

/// Runs one fiber at a time: nothing of a scheduler but its switches.
class BareRunner final : public Runner, public Home {
 public:
  BareRunner() : cache_(StackPool::process()) {
    home = this;
    stacks = &cache_;
    adopt_root_flow(root_);
    set_this_runner(this);
  }
  void enqueue(Fiber&) noexcept override {}
  void suspend() noexcept override { switch_flow(current->flow, root_); }
  void yield() noexcept override { suspend(); }
  void finish() noexcept override {
    switch_flow(current->flow, root_, true);
    std::abort();
  }
  void entered() noexcept override {}
  void arm_timer(Waiter&) noexcept override {}
  void disarm_timer(Waiter&) noexcept override {}

  void run(Fiber& fiber) {
    current = &fiber;
    switch_flow(root_, fiber.flow);
  }
  Fiber& create(FiberMain main) {
    Fiber* const fiber = Fiber::create(StackPool::process(), &cache_, {});
    if (fiber == nullptr) std::abort();
    fiber->home = this;
    fiber->main = main;
    return *fiber;
  }
  void release(Fiber& fiber) { fiber.release(StackPool::process(), &cache_); }

 private:
  StackCache cache_;
  Flow root_;
};

double life_of_a_fiber(BareRunner& runner) {
  constexpr int kFibers = 20'000;
  const double start = now();
  for (int i = 0; i < kFibers; ++i) {
    Fiber& fiber = runner.create([](void*) {});
    detach_fiber(fiber);
    runner.release(fiber);
    runner.run(fiber);
    runner.release(fiber);
  }
  return (now() - start) / kFibers;
}

int run_times() {
  BareRunner runner;
  weft_prepare_context(&raw_other, raw_stack + sizeof(raw_stack), raw_loop, nullptr);
  adopt_root_flow(flow_root);
  prepare_flow(flow_other, flow_stack, flow_stack + sizeof(flow_stack), flow_loop, nullptr);
  boost_other =
      boost_context::make_fcontext(boost_stack + sizeof(boost_stack), sizeof(boost_stack), boost_loop);

  Figure raw{"switch_context"}, boost{"boost jump_fcontext"}, flow{"switch_flow (with exception state)"},
      life{"create, detach, run, finish, reuse"};
  for (int round = 0; round < kRounds; ++round) {
    raw.ns.push_back(raw_switch());
    boost.ns.push_back(boost_switch());
    flow.ns.push_back(flow_switch());
    life.ns.push_back(life_of_a_fiber(runner));
  }
  const double unit = boost.median();
  for (Figure* figure : {&raw, &boost, &flow, &life})
    std::printf("%-40s %7.2f ns  %5.2f x boost\n", figure->name, figure->median(), figure->median() / unit);
  return 0;
}

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(maps), {}, '\n'));
}

int run_parked(std::size_t count) {
  BareRunner runner;
  const std::size_t resident = *sys::resident_bytes();
  const std::size_t tables = *sys::page_table_bytes();
  const double start = now();
  for (std::size_t i = 0; i < count; ++i) {
    Fiber& fiber = runner.create([](void*) { this_runner()->suspend(); });
    detach_fiber(fiber);
    runner.release(fiber);
    runner.run(fiber);
  }
  const double ns = now() - start;
  const auto each = [count](std::size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(count);
  };
  std::printf(
      "%zu suspended fibers: %.0f bytes of RSS each, %.0f of page tables, %zu mappings in all, %.2f us each, "
      "guards by %s\n",
      count, each(*sys::resident_bytes() - resident), each(*sys::page_table_bytes() - tables), mappings(),
      ns / 1000 / static_cast<double>(count),
      StackPool::process().guards_by_mprotect() ? "mprotect" : "MADV_GUARD_INSTALL");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "parked") == 0)
    return run_parked(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1'000'000);
  return run_times();
}
