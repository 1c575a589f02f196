// SPDX-License-Identifier: Apache-2.0
// What the debugger is shown by backtrace.cmake: a fiber that stops in a function of its own.
#include "support/test_runner.hpp"

#include <csignal>

namespace {

[[gnu::noinline]] void stop_here_in_the_fiber() {
  raise(SIGTRAP);
  asm volatile("" ::: "memory");  // not a tail call
}

}  // namespace

int main() {
  weft::test::TestHome home;
  weft::test::TestRunner runner(home);
  weft::Fiber& fiber = weft::test::spawn(home, [] { stop_here_in_the_fiber(); });
  runner.run_until_idle();
  weft::test::drop_handle(fiber);
}
