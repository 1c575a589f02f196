// SPDX-License-Identifier: Apache-2.0
#include "fs/ways.hpp"

#include "base/atomic.hpp"

#include <cstdlib>
#include <string_view>

namespace weft::fs {
namespace {

std::string_view variable(const char* name) noexcept {
  const char* const text = std::getenv(name);
  return text == nullptr ? std::string_view() : text;
}

Ways of_environment() noexcept {
  const std::string_view hand = variable("WEFT_FILE_BACKEND");
  Ways ways;
  if (hand == "ring") ways.hand = Ways::Hand::kRing;
  if (hand == "pool") ways.hand = Ways::Hand::kPool;
  ways.at_once = variable("WEFT_FILE_NOWAIT") != "0";
  return ways;
}

struct Current {
  explicit Current(Ways ways) noexcept : hand(ways.hand), at_once(ways.at_once) {}
  Atomic<Ways::Hand> hand;
  Atomic<bool> at_once;
};

Current& current() noexcept {
  static Current instance(of_environment());
  return instance;
}

}  // namespace

// relaxed: nothing is published with them
Ways ways() noexcept { return {current().hand.load(relaxed), current().at_once.load(relaxed)}; }

void set_ways(Ways ways) noexcept {
  current().hand.store(ways.hand, relaxed);
  current().at_once.store(ways.at_once, relaxed);
}

}  // namespace weft::fs
