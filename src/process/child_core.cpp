// SPDX-License-Identifier: Apache-2.0
#include "process/child_core.hpp"

#include "base/saturating.hpp"
#include "event_loop/operation/files.hpp"
#include "fiber/runner.hpp"
#include "io/descriptor_calls.hpp"
#include "sys/errors.hpp"
#include "sys/poll.hpp"

#include <algorithm>
#include <chrono>
#include <climits>
#include <csignal>

namespace weft::process {
namespace {

std::chrono::microseconds time_of(const timeval& time) noexcept {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

/// Whether the calling fiber may wait for a file of the kernel's.
bool can_suspend() noexcept {
  const Runner* const runner = this_runner();
  return runner != nullptr && runner->current != nullptr && runner->network == nullptr;
}

class WaitForEnd final : public Operation {
 public:
  WaitForEnd(ChildCore& core, Reap reap) noexcept : Operation(Direction::kRead), core_(core), reap_(reap) {}
  Result<void> attempt(Descriptor&) override {
    const Result<bool> ended = core_.look(reap_);
    if (!ended) return ended.failure();
    if (!*ended) return sys::error_of(EAGAIN);
    return {};
  }

 private:
  ChildCore& core_;
  const Reap reap_;
};

/// A deadline for a thread that blocks, by the machine's clock: a virtual one stands still meanwhile.
class BlockingTime {
 public:
  explicit BlockingTime(Deadline deadline) noexcept : is_never_(deadline.is_never()) {
    const std::int64_t left_ns = saturating_subtract(deadline.time_ns(), Deadline::after_ns(0).time_ns());
    end_ = Clock::now() + std::chrono::nanoseconds(std::clamp<std::int64_t>(left_ns, 0, kLongNs));
  }

  bool passed() const noexcept { return !is_never_ && Clock::now() >= end_; }
  /// Of one poll; at least 1 if there is time left.
  int poll_ms() const noexcept {
    if (is_never_) return INT_MAX;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::int64_t kLongNs = std::int64_t{1} << 60;  // 36 years

  bool is_never_;
  Clock::time_point end_;
};

}  // namespace

ChildCore::~ChildCore() { io::close_if_open(handle_); }

template <class Call>
auto ChildCore::with_process(Call&& call) const -> decltype(call(0)) {
  if (unadopted_) return call(unadopted_.get());
  return io::with_fd(handle_, std::forward<Call>(call));
}

Result<void> ChildCore::take(sys::StartedProcess process) noexcept {
  pid_ = process.pid;
  const Result<DescriptorHandle> handle = Files::adopt(process.process, DescriptorKind::kOther);
  if (!handle) {
    unadopted_ = std::move(process.process);
    return handle.error();
  }
  handle_ = *handle;
  return {};
}

std::optional<ExitStatus> ChildCore::status() const {
  const std::scoped_lock locked(mutex_);
  return status_;
}

Result<bool> ChildCore::look(Reap reap) {
  const std::scoped_lock locked(mutex_);
  return look_locked(reap);
}

Result<bool> ChildCore::look_locked(Reap reap) {
  if (status_) return true;
  const auto end = with_process([&](int fd) { return sys::end_of_process(fd, reap); });
  if (!end) return weft::detail::failure_about(end.error(), "waiting for", name_);
  if (!*end) return false;
  if (reap == Reap::kNo) return true;
  const sys::EndOfProcess& found = **end;
  status_ =
      found.exited ? ExitStatus::of_code(found.value) : ExitStatus::of_signal(found.value, found.core_dumped);
  status_->usage_ = {time_of(found.usage.ru_utime), time_of(found.usage.ru_stime)};
  return true;
}

Result<void> ChildCore::wait(Reap reap, Deadline deadline) {
  if (status()) return {};
  if (!can_suspend() || unadopted_) return wait_blocking(reap, deadline);
  WaitForEnd end(*this, reap);
  return Files::perform(handle_, end, deadline);
}

Result<void> ChildCore::wait_blocking(Reap reap, Deadline deadline) {
  const BlockingTime time(deadline);
  for (;;) {
    const Result<bool> ended = look(reap);
    if (!ended) return ended.failure();
    if (*ended) return {};
    if (time.passed()) return Errc::timed_out;
    const Result<bool> polled =
        with_process([&](int fd) { return sys::poll_for(fd, POLLIN, time.poll_ms()); });
    if (!polled) return polled.error();
  }
}

Result<void> ChildCore::send(int number) {
  const std::scoped_lock locked(mutex_);
  return send_locked(number);
}

Result<void> ChildCore::send_locked(int number) {
  if (status_) return weft::detail::failure_about(sys::error_of(ESRCH), "sending a signal to", name_);
  const Result<void> sent = with_process([&](int fd) {
    return leads_group_ ? sys::signal_process_group(fd, pid_, number) : sys::signal_process(fd, number);
  });
  if (sent) return {};
  return weft::detail::failure_about(sent.error(), "sending a signal to", name_);
}

Result<void> ChildCore::reap_with_group() {
  const std::scoped_lock locked(mutex_);
  // While it is not reaped, its number is nobody else's, and neither is that of its group (PR2).
  if (leads_group_ && !status_) [[maybe_unused]]
    const Result<void> killed = send_locked(SIGKILL);
  const Result<bool> ended = look_locked(Reap::kYes);
  if (!ended) return ended.failure();
  return {};
}

pid_t ChildCore::release() noexcept {
  const std::scoped_lock locked(mutex_);
  return status_ ? 0 : pid_;
}

}  // namespace weft::process
