// SPDX-License-Identifier: Apache-2.0
#include "process/launch.hpp"

#include "io/network_here.hpp"
#include "process/ending.hpp"
#include "sys/errors.hpp"
#include "sys/start_signals.hpp"

#include <weft/blocking_pool.hpp>

#include <algorithm>
#include <csignal>
#include <unistd.h>

namespace weft::process {
namespace {

using weft::detail::failure_about;

/// The threads that start processes. They never end: the kernel takes the thread for the parent when it comes
/// to PR_SET_PDEATHSIG, and would end the child with it.
BlockingPool& starting_pool() {
  static auto* const pool = new BlockingPool("spawn", {.threads_min = 8, .threads_max = 8});
  return *pool;
}

bool has_nul(const std::string& text) noexcept { return text.find('\0') != std::string::npos; }

/// For an interface of the kernel's that changes nothing.
char* mutable_text(const std::string& text) noexcept { return const_cast<char*>(text.c_str()); }

sys::ChildGroup group_of(ProcessGroup group) noexcept {
  return group == ProcessGroup::kOwn       ? sys::ChildGroup::kOwn
         : group == ProcessGroup::kSession ? sys::ChildGroup::kSession
                                           : sys::ChildGroup::kShared;
}

}  // namespace

StandardStreams Launch::standard_streams(const StandardStreams& otherwise) const noexcept {
  return {command_.input_.is_set() ? command_.input_ : otherwise.input,
          command_.output_.is_set() ? command_.output_ : otherwise.output,
          command_.error_.is_set() ? command_.error_ : otherwise.error};
}

Result<void> Launch::check() const {
  const auto invalid = [this](const char* what) {
    return failure_about(sys::error_of(EINVAL), what, command_.program_);
  };
  const bool nul = has_nul(command_.program_) ||
                   std::any_of(command_.arguments_.begin(), command_.arguments_.end(), has_nul) ||
                   (command_.argument_zero_ && has_nul(*command_.argument_zero_)) ||
                   (command_.directory_ && has_nul(*command_.directory_));
  if (nul) return invalid("a NUL in the arguments, or the directory, of");
  if (const std::string* const name = Environment::invalid(command_.environment_))
    return failure_about(sys::error_of(EINVAL), "setting the variable", *name);
  if (command_.death_signal_ < 0 || command_.death_signal_ > SIGRTMAX) return invalid("the death signal of");
  return {};
}

Result<void> Launch::open(const StandardStreams& standard, Streams& streams) const {
  if (const Result<void> opened = streams.open_input(standard.input); !opened) return opened;
  if (const Result<void> opened = streams.open_output(standard.output); !opened) return opened;
  if (const Result<void> opened = streams.open_error(standard.error); !opened) return opened;
  for (const Command::Passed& each : command_.passed_) {
    if (const Result<void> passed = streams.pass(each.number, each.as); !passed) return passed;
  }
  return {};
}

void Launch::plan(Streams& streams) {
  files_ = candidates_for(command_.program_, environment_);
  for (const std::string& file : files_) programs_.push_back(file.c_str());
  programs_.push_back(nullptr);
  arguments_.push_back(mutable_text(command_.argument_zero_ ? *command_.argument_zero_ : command_.program_));
  for (const std::string& argument : command_.arguments_) arguments_.push_back(mutable_text(argument));
  arguments_.push_back(nullptr);
  plan_.programs = programs_.data();
  plan_.arguments = arguments_.data();
  plan_.environment = environment_.texts();
  plan_.directory = command_.directory_ ? command_.directory_->c_str() : nullptr;
  plan_.descriptors = streams.for_child().data();
  plan_.descriptor_count = streams.for_child().size();
  plan_.closes_others = !command_.inherits_descriptors_;
  plan_.group = group_of(command_.group_);
  plan_.death_signal = command_.death_signal_;
  plan_.parent = ::getpid();
  plan_.blocked_signals = sys::start_signals().blocked;
  plan_.ignored_signals = sys::start_signals().ignored;
}

weft::detail::Failure Launch::failure_of(std::error_code error) const {
  if (plan_.error == 0) return failure_about(error, "starting", command_.program_);
  if (plan_.failed_step == sys::ChildStep::kDirectory)
    return failure_about(error, "changing to the directory", *command_.directory_);
  if (plan_.failed_step == sys::ChildStep::kDescriptors && plan_.failed_target >= 0)
    return failure_about(error, "passing a descriptor as", std::to_string(plan_.failed_target));
  return failure_about(error, "starting", command_.program_);
}

Result<std::unique_ptr<ChildCore>> Launch::start_planned(Deadline deadline) {
  auto core = std::make_unique<ChildCore>(command_.program_, command_.group_ != ProcessGroup::kShared,
                                          command_.grace_);
  Result<sys::StartedProcess> started =
      starting_pool().run_until(deadline, [this] { return sys::start_process(plan_); });
  if (!started) {
    const std::error_code error = started.error();
    if (error == Errc::cancelled || error == Errc::timed_out) return error;
    return failure_of(error);
  }
  if (const Result<void> taken = core->take(std::move(*started)); !taken) {
    [[maybe_unused]] const Result<void> ended = end_process(*core, std::chrono::nanoseconds::zero());
    return failure_of(taken.error());
  }
  return core;
}

Result<Child> Launch::start(const StandardStreams& standard, Deadline deadline) {
  require_fiber("starting a process");
  if (this_runner()->network != nullptr)
    return failure_about(make_error_code(Errc::unsupported), "in a simulated world, starting",
                         command_.program_);
  reap_abandoned();
  if (const Result<void> checked = check(); !checked) return checked.failure();
  Streams streams;
  if (const Result<void> opened = open(standard, streams); !opened) return opened.failure();
  plan(streams);
  Result<std::unique_ptr<ChildCore>> core = start_planned(deadline);
  if (!core) return core.failure();
  Child child;
  child.core_.reset(core->release());
  child.input_ = std::move(streams.input);
  child.output_ = std::move(streams.output);
  child.error_ = std::move(streams.error);
  return child;
}

}  // namespace weft::process
