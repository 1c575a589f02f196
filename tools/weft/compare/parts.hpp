// SPDX-License-Identifier: Apache-2.0
#pragma once

// What scenarios run in a process of its own, so that strategies do not share one: hidden subcommands of
// weft. The strategy comes as WEFT_STRATEGY.

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace weft::tool::compare {

struct PartCommand {
  std::string part = {};
  std::uint32_t threads = 1;
  double seconds = 0.3;
  std::uint32_t rounds = 5;

  CLI::App* add_to(CLI::App& app);
  int run() const;
};

/// A server that speaks as much HTTP as wrk needs: a connection is accepted and authenticated in one context,
/// then served in another, of `threads` threads. Runs until it is killed.
int run_handoff_part(const PartCommand& command);

/// How late fibers of one context notice what arrives on their sockets, while `threads` threads of another
/// context are idle and while they are busy: JSON on standard output.
int run_starved_part(const PartCommand& command);

/// What wake-ups cost within a context and from another: JSON on standard output.
int run_contention_part(const PartCommand& command);

/// Fibers of `threads` contexts print lines to one socket, with a mutex and through a channel: JSON on
/// standard output.
int run_bounce_part(const PartCommand& command);

}  // namespace weft::tool::compare
