// SPDX-License-Identifier: Apache-2.0
#pragma once

// Happy Eyeballs (RFC 8305): docs/design/names.md.
//
// Thread safety: one fiber runs the race and alone sees its state; those that resolve and connect are
// children, which only send an event at their end. Guarantees: when run() returns, all of them have ended and
// no connection but the winner's is open.

#include <weft/channel.hpp>
#include <weft/net/connect.hpp>
#include <weft/task_group.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weft::net {

class ConnectRace {
 public:
  /// `name` is valid, and must live as long as this.
  ConnectRace(Resolver& resolver, std::string_view name, std::uint16_t port, const ConnectOptions& options);

  /// Suspends. Called once.
  Result<TcpStream> run(Deadline deadline);

  /// Every attempt, in the order of their starts. After run().
  std::vector<ConnectAttempt> take_attempts() { return std::move(attempts_); }
  /// "2001:db8::1: Connection refused, 192.0.2.1: deadline passed"; empty if there was none. After run().
  std::string reasons() const;

 private:
  struct Resolved {
    std::size_t family = 0;
    Result<std::vector<SocketAddress>> addresses;
  };
  struct Attempted {
    std::size_t index = 0;
    Result<TcpStream> stream;
  };
  using Event = std::variant<Resolved, Attempted>;

  /// One family's half.
  struct Half {
    bool answered = false;
    std::error_code error;  ///< why there are no addresses
    std::deque<SocketAddress> waiting;
  };

  void start_resolving(std::size_t family);
  void start_attempt();
  void take(Event& event);
  bool has_waiting() const noexcept;
  bool may_start() const noexcept;
  Deadline next_start() const noexcept;
  Result<void> wait_for_event(Deadline scope_deadline);
  Result<TcpStream> end(const Result<void>& waited);
  std::error_code reason_of_failure() const noexcept;

  static constexpr std::size_t kV6 = 0;
  static constexpr std::size_t kV4 = 1;

  Resolver& resolver_;
  const std::string_view name_;
  const std::uint16_t port_;
  const ConnectOptions options_;
  const std::int64_t begin_ns_;

  std::array<Half, 2> halves_;
  std::size_t preferred_ = kV6;  // the family of the next attempt, if it has an address
  Deadline v4_may_start_;        // the end of the resolution delay; never: it has not begun
  Deadline next_attempt_ = Deadline::at_ns(0);
  std::size_t running_ = 0;
  std::vector<ConnectAttempt> attempts_;
  std::optional<TcpStream> winner_;

  Channel<std::unique_ptr<Event>> events_;
  TaskGroup<void> children_;  // the last member: joined before anything that they use is gone
};

}  // namespace weft::net
