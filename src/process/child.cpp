// SPDX-License-Identifier: Apache-2.0
#include <weft/process/child.hpp>

#include "process/child_core.hpp"
#include "process/ending.hpp"
#include "sys/errors.hpp"

#include <csignal>
#include <tuple>
#include <utility>

namespace weft::process {
namespace {

/// Of a process that was looked for, or waited for.
Result<ExitStatus> status_after(const ChildCore& core, const Result<void>& waited) {
  if (waited) return *core.status();
  const std::error_code error = waited.error();
  if (error.category() != std::system_category()) return error;
  return weft::detail::failure_about(error, "waiting for", core.name());
}

}  // namespace

void detail::DeleteChild::operator()(ChildCore* core) const noexcept { dispose(core); }

Child::Child() noexcept = default;
Child::Child(Child&&) noexcept = default;
Child& Child::operator=(Child&& other) noexcept {
  if (this == &other) return *this;
  // The pipes first, as in the destructor: most programs end of it.
  input_ = std::move(other.input_);
  output_ = std::move(other.output_);
  error_ = std::move(other.error_);
  core_ = std::move(other.core_);
  return *this;
}
Child::~Child() = default;

pid_t Child::id() const noexcept { return core_ == nullptr ? 0 : core_->pid(); }

weft::detail::DescriptorHandle Child::descriptor() const noexcept {
  return core_ == nullptr ? weft::detail::DescriptorHandle() : core_->descriptor();
}

Result<ExitStatus> Child::wait(Deadline deadline) {
  if (core_ == nullptr || core_->inherited()) return Errc::closed;
  std::ignore = input_.close();  // not by assignment: others may do the same
  return status_after(*core_, core_->wait(Reap::kYes, deadline));
}

Result<ExitStatus> Child::try_wait() {
  if (core_ == nullptr || core_->inherited()) return Errc::closed;
  const Result<bool> ended = core_->look(Reap::kYes);
  if (!ended) return ended.failure();
  if (!*ended) return Errc::would_block;
  return *core_->status();
}

Result<ExitStatus> Child::stop() {
  return core_ == nullptr ? Result<ExitStatus>(Errc::closed) : stop(core_->grace());
}

Result<ExitStatus> Child::stop(std::chrono::nanoseconds grace) {
  if (core_ == nullptr || core_->inherited()) return Errc::closed;
  std::ignore = input_.close();
  return status_after(*core_, end_process(*core_, grace));
}

Result<void> Child::send_signal(int number) {
  if (core_ == nullptr || core_->inherited()) return Errc::closed;
  return core_->send(number);
}

Result<void> Child::terminate() { return send_signal(SIGTERM); }
Result<void> Child::kill() { return send_signal(SIGKILL); }

pid_t Child::release() {
  input_ = {};
  output_ = {};
  error_ = {};
  if (core_ == nullptr || core_->inherited()) return 0;
  const pid_t pid = core_->release();
  delete core_.release();
  return pid;
}

}  // namespace weft::process
