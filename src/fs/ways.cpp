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

Atomic<Ways>& current() noexcept {
  static Atomic<Ways> instance{of_environment()};
  return instance;
}

}  // namespace

Ways ways() noexcept { return current().load(relaxed); }  // relaxed: nothing is published with it
void set_ways(Ways ways) noexcept { current().store(ways, relaxed); }

}  // namespace weft::fs
