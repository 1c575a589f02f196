// SPDX-License-Identifier: Apache-2.0
#pragma once

// The kernel of a model: one socket that receives and sends bytes, and who has it registered. `sys` calls of
// the model's sources end here.

#include "base/spin_lock.hpp"

#include <weft/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::model {

class Kernel {
 public:
  static constexpr int kFd = 1'000'000'000;  // none that the machine's kernel gives out
  static constexpr std::size_t kLoops = 2;

  Kernel();
  ~Kernel();

  /// A byte comes: an edge for each loop that has the socket registered.
  void receive();
  /// One byte, or EAGAIN.
  Result<std::size_t> recv();
  /// Takes all of it, unless `send_at_most` or `refuse_send` says otherwise. To a number that was given back:
  /// a failure.
  Result<std::size_t> send(std::span<const std::byte> data);
  /// Registers; what is there already is an edge. Refused if `refuse_add` is set.
  Result<void> add(std::size_t loop, std::uint64_t data);
  void remove(std::size_t loop);
  /// Takes the edge that waits for `loop`; false if there is none.
  bool take_event(std::size_t loop, std::uint64_t& data);
  void close();

  bool registered(std::size_t loop) const noexcept { return loops_[loop].registered; }
  int closed() const noexcept { return closed_; }
  std::size_t sent() const noexcept { return sent_; }
  /// How often a byte was sent that differs from the one before: as many pieces, at least.
  std::size_t runs() const noexcept { return runs_; }

  bool refuse_add = false;
  bool refuse_send = false;        ///< with EPIPE
  std::size_t send_at_most = 100;  ///< of each call
  /// Counts what a poller might have to look at.
  Atomic<std::uint32_t> version{0};

 private:
  struct Registration {
    bool registered = false;
    bool pending = false;
    std::uint64_t data = 0;
  };

  SpinLock lock_;
  int bytes_ = 0;
  std::size_t sent_ = 0;
  std::size_t runs_ = 0;
  std::byte last_{};
  int closed_ = 0;
  std::array<Registration, kLoops> loops_;
};

}  // namespace weft::model
