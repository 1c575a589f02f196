// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of the event loop strategies have in common.

#include "support/laws.hpp"

#include <weft/event_loop_strategy.hpp>

#include <cctype>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>

namespace weft::test {

using Strategy = EventLoopStrategy;

/// In how many epoll instances of the process a number is registered, as the kernel says.
inline std::size_t registrations_of(int fd) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream info(entry.path());
    for (std::string word; info >> word;) {
      int number = -1;
      if (word == "tfd:" && info >> number && number == fd) ++count;
    }
  }
  return count;
}

struct RegisteredNow {
  Ownership state;
  LoopId owner;
  Edges edges;
};

inline RegisteredNow registered(const Near& near) {
  const std::scoped_lock lock(near.handle.descriptor->lock);
  const Descriptor& descriptor = *near.handle.descriptor;
  return {descriptor.ownership, descriptor.owner, descriptor.edges};
}

/// Until the fiber that waits has also registered the descriptor.
inline void until_settled(const Near& near, Direction direction) {
  near.until_awaited(direction);
  eventually(
      [&] {
        const RegisteredNow now = registered(near);
        return now.state != Ownership::kInTransfer && now.state != Ownership::kUnowned &&
               (now.state != Ownership::kAwaited || now.edges.has(direction));
      },
      "a registration");
}

inline auto read_in(ExecutionContext& context, const Near& near) {
  return context.spawn([near] { return near.read(1, Deadline::after(kPatience)); });
}

/// One byte is waited for in `context`, and comes.
inline void expect_read_in(ExecutionContext& context, const Connection& connection) {
  auto reader = read_in(context, connection.near);
  until_settled(connection.near, Direction::kRead);
  connection.far.send("x");
  EXPECT_EQ(reader.join_uncancellable().value(), "x");
}

/// "RearmThread"; what a parametrized test is named after.
inline std::string strategy_name(const testing::TestParamInfo<Strategy>& info) {
  std::string name;
  bool capital = true;
  for (const char character : info.param.to_string()) {
    if (character != '-') name += capital ? static_cast<char>(std::toupper(character)) : character;
    capital = character == '-';
  }
  return name;
}

}  // namespace weft::test
