// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who wants which signals of the operating system, and how they get them (docs/design/signals.md).
//
// The handler counts and wakes one thread of the library; that thread, or whoever is asked for a signal
// first, passes them on to listeners. Thread safety: any thread. One mutex guards the listeners; a handler
// never takes it. Guarantees: SG2 a signal that came while a listener was added is passed to it once. SG3 the
// disposition of a signal is what it was before, when the last listener has gone, unless the program has
// changed it meanwhile. SG4 while there is a listener, at least one thread does not block the signal.

#include "base/intrusive_list.hpp"

#include <weft/signal.hpp>

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

namespace weft {

/// Wants some signals.
class SignalListener : public ListNode<SignalListener> {
 public:
  /// Throws std::system_error if there are none, or one of them cannot be waited for.
  explicit SignalListener(std::span<const int> numbers);

  bool wants(int number) const noexcept { return (numbers_ >> (number - 1) & 1) != 0; }
  std::uint64_t numbers() const noexcept { return numbers_; }
  /// In a child of fork() it is the parent's.
  bool inherited() const noexcept;

  /// With the registry's lock: neither blocks nor calls the program's code.
  virtual void deliver(const Signal& signal) noexcept = 0;

  /// Asked to stop when the first signal has come, without a lock.
  const std::stop_source& stop() const noexcept { return stop_; }
  bool to_stop = false;  ///< the registry's, guarded by its lock

 protected:
  ~SignalListener() = default;

 private:
  std::uint64_t numbers_ = 0;
  const std::uint32_t forks_;
  std::stop_source stop_;
};

class SignalRegistry {
 public:
  /// From here on `listener` gets its signals. Throws std::system_error.
  static void add(SignalListener& listener);
  /// Nobody is in deliver() any more.
  static void remove(SignalListener& listener) noexcept;

  /// Passes on what has come until now.
  static void deliver() noexcept;
  /// As if the signal had come. False: nobody wants it.
  static bool put(int number, pid_t sender) noexcept;

  /// Around fork(), by the thread that calls it.
  static void lock_for_fork() noexcept;
  static void unlock_after_fork() noexcept;
  /// In a child of fork(): the listeners are the parent's, and each signal does what it did without them.
  static void become_inherited() noexcept;
};

/// The signal does what it does by default, now.
void act_by_default(int number) noexcept;

/// "SIGINT", "signal 35".
std::string signal_name(int number);

}  // namespace weft
