// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/completion/completion_slot.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/registration/registration.hpp"
#include "sys/epoll.hpp"
#include "sys/event_fd.hpp"
#include "sys/timer_fd.hpp"

#include <memory>

namespace weft {

/// The syscall half of the polling loop on Linux.
class EpollEventLoop final : public PollingEventLoop {
 public:
  /// Fails when the process is out of file descriptors or memory.
  static Result<std::unique_ptr<EpollEventLoop>> create(const RegistrationPolicy& policy = transfer_policy());
  /// Retires the loop, if nobody did, while it still knows its ring.
  ~EpollEventLoop() override;

  std::shared_ptr<CompletionRing> completions() noexcept override;

 private:
  EpollEventLoop(const RegistrationPolicy& policy, sys::Epoll epoll, sys::EventFd wakeup,
                 sys::TimerFd alarm) noexcept;

  Result<void> add(int fd, std::uint64_t data, Edges edges) noexcept override;
  Result<void> modify(int fd, std::uint64_t data, Edges edges) noexcept override;
  void remove(int fd) noexcept override;
  std::size_t poll(std::int64_t timeout_ns) noexcept override;
  [[noreturn]] static void refuse_in_child();
  void fetch(std::span<const epoll_event> events) noexcept;
  void notify() noexcept override;
  bool set_alarm(std::int64_t time_ns) noexcept override;
  void end_completions() noexcept override;
  [[gnu::noinline]] bool special_event(std::uint64_t data) noexcept;

  static constexpr std::size_t kEventsMax = 256;

  sys::Epoll epoll_;
  sys::EventFd wakeup_;
  sys::TimerFd alarm_;  // of no alarm, if the kernel refused it: then polls have timeouts
  CompletionSlot completions_;
  epoll_event events_[kEventsMax];  // written by whoever has the poll duty
};

}  // namespace weft
