// SPDX-License-Identifier: Apache-2.0
#pragma once

// A context of the kind that a parametrized test asks for.

#include "event_loop/sim_event_loop.hpp"
#include "execution_context/context.hpp"

#include <weft/execution_context.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

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

class AnyContext final : public ExecutionContext {
 public:
  explicit AnyContext(AnyContextKind kind) : ExecutionContext(make(kind)) {}

 private:
  static std::uint32_t parallelism_of(AnyContextKind kind) {
    return kind == AnyContextKind::kParallel4 ? 4 : kind == AnyContextKind::kParallel2 ? 2 : 1;
  }
  static detail::OwnedContext make(AnyContextKind kind) {
    const bool parallel = kind >= AnyContextKind::kParallel1;
    return detail::OwnedContext(new Context(
        {.name = name_of(kind),
         .parallelism = parallelism_of(kind),
         .resizable = parallel,
         .event_loop = kind == AnyContextKind::kSimulated ? std::make_unique<SimEventLoop>() : nullptr}));
  }
};

/// A test whose body runs as a fiber of a context of each kind.
class InAnyContext : public testing::TestWithParam<AnyContextKind> {
 protected:
  template <class Body>
  void run(Body&& body) {
    context.spawn(std::forward<Body>(body)).join();
  }

  AnyContext context{GetParam()};
};

inline auto kernel_contexts() {
  return testing::Values(AnyContextKind::kConcurrent, AnyContextKind::kParallel1, AnyContextKind::kParallel2,
                         AnyContextKind::kParallel4);
}
inline auto all_contexts() {
  return testing::Values(AnyContextKind::kSimulated, AnyContextKind::kConcurrent, AnyContextKind::kParallel1,
                         AnyContextKind::kParallel2, AnyContextKind::kParallel4);
}
inline std::string kind_name(const testing::TestParamInfo<AnyContextKind>& info) {
  return name_of(info.param);
}

}  // namespace weft::test
