// SPDX-License-Identifier: Apache-2.0
#pragma once

// How an exploration is started, and what it found.

#include "model/explorer/execution.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace weft::model {

struct Options {
  /// Take the CPU from a thread that could go on at most so often; less than 0: every execution that differs.
  int preemptions_max = -1;
  /// So many random executions instead; the seed is printed with a failure.
  std::uint64_t random_executions = 0;
  std::uint64_t seed = 1;
  /// More are not made; the outcome is incomplete then.
  std::uint64_t executions_max = 2'000'000;
  ExecutionLimits limits = {};
};

struct Outcome {
  Failure failure;
  std::uint64_t executions = 0;
  bool complete = false;  ///< there was nothing left to explore
  std::string report;     ///< of a failure: what, the steps, how to repeat it

  explicit operator bool() const noexcept { return !failure; }
};

/// Runs `body` again and again, each time otherwise, until something fails or all was seen. With
/// WEFT_MODEL_REPLAY in the environment, once, with the choices that it holds, and the steps are printed.
Outcome explore(const Options& options, const std::function<void()>& body);

}  // namespace weft::model
