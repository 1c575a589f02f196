// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/explorer/explore.hpp"

#include <cstdlib>

namespace weft::model {

/// Whether there is time (label `full`): then what is bounded otherwise is explored as a whole.
inline bool full() noexcept { return std::getenv("WEFT_MODEL_FULL") != nullptr; }

/// At most `preemptions` in the few seconds that a test has.
inline Options bounded(int preemptions) {
  Options options;
  options.preemptions_max = full() ? -1 : preemptions;
  return options;
}

/// The same where the whole is out of reach: one preemption more if there is time.
inline Options always_bounded(int preemptions) {
  Options options;
  options.preemptions_max = full() ? preemptions + 1 : preemptions;
  if (full()) options.executions_max *= 10;
  return options;
}

/// So many executions at random, fifty times as many if there is time. WEFT_MODEL_SEED is the seed.
inline Options at_random(std::uint64_t executions) {
  Options options;
  options.random_executions = full() ? executions * 50 : executions;
  if (const char* const seed = std::getenv("WEFT_MODEL_SEED"))
    options.seed = std::strtoull(seed, nullptr, 10);
  return options;
}

}  // namespace weft::model
