// SPDX-License-Identifier: Apache-2.0
#pragma once

// A context of the kind and the event loop strategy that a parametrized test asks for.

#include "base/sanitizers.hpp"
#include "event_loop/sim/sim_event_loop.hpp"
#include "execution_context/context.hpp"

#include <weft/execution_context.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace weft::test {

enum class AnyContextKind { kSimulated, kConcurrent, kParallel1, kParallel2, kParallel4 };

inline std::string name_of(AnyContextKind kind) {
  switch (kind) {
    case AnyContextKind::kSimulated: return "Simulated";
    case AnyContextKind::kConcurrent: return "Concurrent";
    case AnyContextKind::kParallel1: return "Parallel1";
    case AnyContextKind::kParallel2: return "Parallel2";
    default: return "Parallel4";
  }
}

/// What a test is run under.
struct ContextCase {
  ContextCase(AnyContextKind of, EventLoopStrategy under = {}) : kind(of), strategy(under) {}

  AnyContextKind kind;
  EventLoopStrategy strategy;
};

/// "Parallel2", and with a strategy that is not the default: "Parallel2RearmThread".
inline std::string name_of(const ContextCase& of) {
  std::string name = name_of(of.kind);
  if (of.strategy == EventLoopStrategy()) return name;
  bool capital = true;
  for (const char character : of.strategy.to_string()) {
    if (character != '-') name += capital ? static_cast<char>(character - 'a' + 'A') : character;
    capital = character == '-';
  }
  return name;
}

inline void PrintTo(const ContextCase& of, std::ostream* out) { *out << name_of(of); }

class AnyContext final : public ExecutionContext {
 public:
  explicit AnyContext(const ContextCase& of) : ExecutionContext(make(of.kind, of.strategy)) {}

 private:
  static std::uint32_t parallelism_of(AnyContextKind kind) {
    return kind == AnyContextKind::kParallel4 ? 4 : kind == AnyContextKind::kParallel2 ? 2 : 1;
  }
  static detail::OwnedContext make(AnyContextKind kind, const EventLoopStrategy& strategy) {
    const bool parallel = kind >= AnyContextKind::kParallel1;
    return detail::OwnedContext(new Context(
        {.name = name_of(kind),
         .parallelism = parallelism_of(kind),
         .resizable = parallel,
         .strategy = strategy,
         .event_loop = kind == AnyContextKind::kSimulated ? std::make_unique<SimEventLoop>() : nullptr}));
  }
};

/// A test whose body runs as a fiber of a context of each kind.
class InAnyContext : public testing::TestWithParam<ContextCase> {
 protected:
  template <class Body>
  void run(Body&& body) {
    context.spawn(std::forward<Body>(body)).join_uncancellable();
  }

  AnyContext context{GetParam()};
};

inline std::vector<ContextCase> default_cases() {
  return {AnyContextKind::kConcurrent, AnyContextKind::kParallel1, AnyContextKind::kParallel2,
          AnyContextKind::kParallel4};
}

/// Every kind under the default strategy, and one and two threads under each of the others; two only where
/// a sanitizer makes tests slow.
inline std::vector<ContextCase> kernel_cases() {
  std::vector<ContextCase> cases = default_cases();
  for (const EventLoopStrategy& strategy : EventLoopStrategy::named()) {
    if (strategy == EventLoopStrategy()) continue;
    if (!WEFT_ASAN && !WEFT_TSAN) cases.emplace_back(AnyContextKind::kConcurrent, strategy);
    cases.emplace_back(AnyContextKind::kParallel2, strategy);
  }
  return cases;
}
inline auto kernel_contexts() { return testing::ValuesIn(kernel_cases()); }
inline auto all_contexts() {
  std::vector<ContextCase> cases = kernel_cases();
  cases.emplace_back(AnyContextKind::kSimulated);
  return testing::ValuesIn(cases);
}
/// For what waits for no file: how files are registered does not matter, which threads wake whom does.
inline auto all_placements() {
  std::vector<ContextCase> cases = default_cases();
  cases.emplace_back(AnyContextKind::kSimulated);
  for (const EventLoopStrategy& strategy :
       {EventLoopStrategy::process(), EventLoopStrategy::dedicated(), EventLoopStrategy::lifetime_thread()})
    cases.emplace_back(AnyContextKind::kParallel2, strategy);
  return testing::ValuesIn(cases);
}
inline std::string kind_name(const testing::TestParamInfo<ContextCase>& info) { return name_of(info.param); }

}  // namespace weft::test
