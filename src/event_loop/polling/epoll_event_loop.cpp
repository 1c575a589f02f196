// SPDX-License-Identifier: Apache-2.0
#include "event_loop/polling/epoll_event_loop.hpp"

#include "base/panic.hpp"
#include "event_loop/registration/loop_registry.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <string>
#include <system_error>

namespace weft {
namespace {

/// The event data of the loop's own eventfd, timerfd and ring; no descriptor has these indices.
constexpr std::uint64_t kWakeupData = ~std::uint64_t{0};
constexpr std::uint64_t kAlarmData = kWakeupData - 1;
constexpr std::uint64_t kRingData = kWakeupData - 2;

/// Events whose memory is fetched together before the first of them is delivered.
constexpr std::size_t kFetchedTogether = 16;

constexpr std::uint32_t kReadEdges = EPOLLIN | EPOLLRDHUP | EPOLLPRI;
constexpr std::uint32_t kWriteEdges = EPOLLOUT;
constexpr std::uint32_t kEndEdges = EPOLLRDHUP;
constexpr std::uint32_t kHangUps = EPOLLHUP | EPOLLERR;

/// Hang-ups and errors are reported anyway.
constexpr std::uint32_t events_of(Edges edges) noexcept {
  return EPOLLET | (edges.read ? kReadEdges : 0) | (edges.write ? kWriteEdges : 0) |
         (edges.end ? kEndEdges : 0);
}

Signals signals_of(std::uint32_t events) noexcept {
  const bool hang_up = (events & kHangUps) != 0;
  return {.read = hang_up || (events & kReadEdges) != 0,
          .write = hang_up || (events & kWriteEdges) != 0,
          .unusual = hang_up || (events & (EPOLLRDHUP | EPOLLPRI)) != 0,
          .hang_up = hang_up};
}

}  // namespace

Result<std::unique_ptr<EpollEventLoop>> EpollEventLoop::create(const RegistrationPolicy& policy) {
  Result<sys::Epoll> epoll = sys::Epoll::create();
  if (!epoll) return epoll.error();
  Result<sys::EventFd> wakeup = sys::EventFd::create();
  if (!wakeup) return wakeup.error();
  // Edge-triggered and never read: each notification is an edge of its own, without a read for each.
  if (auto added = epoll->add(wakeup->fd(), EPOLLIN | EPOLLET, kWakeupData); !added) return added.error();
  Result<sys::TimerFd> alarm = sys::TimerFd::create();
  if (!alarm || !epoll->add(alarm->fd(), EPOLLIN | EPOLLET, kAlarmData)) alarm = sys::TimerFd();
  std::unique_ptr<EpollEventLoop> loop(
      new EpollEventLoop(policy, std::move(*epoll), std::move(*wakeup), std::move(*alarm)));
  if (!loop->id()) {
    throw std::system_error(
        std::make_error_code(std::errc::resource_unavailable_try_again),
        "weft: no more than " + std::to_string(LoopRegistry::kLoopsMax) + " event loops at a time");
  }
  loop->announce();
  return loop;
}

EpollEventLoop::EpollEventLoop(const RegistrationPolicy& policy, sys::Epoll epoll, sys::EventFd wakeup,
                               sys::TimerFd alarm) noexcept
    : PollingEventLoop(policy),
      epoll_(std::move(epoll)),
      wakeup_(std::move(wakeup)),
      alarm_(std::move(alarm)) {}

[[gnu::cold]] void EpollEventLoop::refuse_in_child() {
  write_to_stderr(
      {"weft: a child of fork() uses an event loop of its parent. After fork() only the parent goes on with "
       "the fibers and "
       "sockets there were; the child may close its copies, exec, _exit(), or call weft::run() anew\n"});
  WEFT_PANIC("a child of fork() uses an event loop of its parent");
}

Result<void> EpollEventLoop::add(int fd, std::uint64_t data, Edges edges) noexcept {
  if (inherited()) [[unlikely]]
    refuse_in_child();
  return epoll_.add(fd, events_of(edges), data);
}

Result<void> EpollEventLoop::modify(int fd, std::uint64_t data, Edges edges) noexcept {
  if (inherited()) [[unlikely]]
    refuse_in_child();
  return epoll_.modify(fd, events_of(edges), data);
}

void EpollEventLoop::remove(int fd) noexcept {
  if (inherited()) return;
  // ENOENT: somebody put another file over the number (dup2), and the kernel forgot the old one.
  [[maybe_unused]] const Result<void> removed = epoll_.remove(fd);
}

void EpollEventLoop::notify() noexcept {
  if (!inherited()) wakeup_.notify();
}

bool EpollEventLoop::set_alarm(std::int64_t time_ns) noexcept {
  return !inherited() && alarm_.valid() && alarm_.set(time_ns).has_value();
}

// The first look at a descriptor, and at the page of who waits for it, would be half of what a delivery
// costs, as nothing of them is in the nearer caches any more (perf, 64 connections).
void EpollEventLoop::fetch(std::span<const epoll_event> events) noexcept {
  if (events.size() == 1) return;
  for (const epoll_event& event : events) prefetch_descriptor(event.data.u64);
  for (const epoll_event& event : events) prefetch_waiter(event.data.u64);
}

// Whether it counts as an event: it has made fibers runnable, so no sleep may follow.
bool EpollEventLoop::special_event(std::uint64_t data) noexcept {
  if (data == kAlarmData) alarm_rang();
  if (data != kRingData) return false;
  FiberQueue won;
  completions_.take(won);
  const bool useful = !won.empty();
  hand_out(won);
  return useful;
}

EpollEventLoop::~EpollEventLoop() {
  if (!inherited()) completions_.end();
}

std::shared_ptr<CompletionRing> EpollEventLoop::completions() noexcept {
  if (inherited()) return nullptr;
  return completions_.get_or_make(
      [this](int fd) { return epoll_.add(fd, EPOLLIN | EPOLLET, kRingData).has_value(); });
}

void EpollEventLoop::end_completions() noexcept {
  if (!inherited()) completions_.end();
}

std::size_t EpollEventLoop::poll(std::int64_t timeout_ns) noexcept {
  const Result<std::size_t> count = epoll_.wait(events_, timeout_ns);
  WEFT_ASSERT(count.has_value(), "epoll_wait failed", PanicValue{"errno", panic_bits(count.error().value())});
  std::size_t interruptions = 0;
  for (std::span<const epoll_event> left = std::span(events_).first(*count); !left.empty();) {
    const std::span<const epoll_event> some = left.first(std::min(left.size(), kFetchedTogether));
    fetch(some);
    for (const epoll_event& event : some) {
      if (event.data.u64 < kRingData) [[likely]] {
        deliver(event.data.u64, signals_of(event.events));
        if ((event.events & (kEndEdges | kHangUps)) != 0) [[unlikely]]
          deliver_end(event.data.u64, (event.events & kHangUps) != 0 ? PeerEnd::kReset : PeerEnd::kFinished);
      } else {
        interruptions += special_event(event.data.u64) ? 0 : 1;
      }
    }
    left = left.subspan(some.size());
  }
  return *count - interruptions;
}

}  // namespace weft
