// SPDX-License-Identifier: Apache-2.0
#include <weft/process/command.hpp>

#include "process/launch.hpp"

#include <weft/cancel_scope.hpp>

#include <iterator>
#include <utility>

namespace weft::process {

Command::Command(std::string program, std::vector<std::string> arguments)
    : program_(std::move(program)), arguments_(std::move(arguments)) {}

Command& Command::argument(std::string argument) {
  arguments_.push_back(std::move(argument));
  return *this;
}

Command& Command::arguments(std::vector<std::string> more) {
  std::move(more.begin(), more.end(), std::back_inserter(arguments_));
  return *this;
}

Command& Command::argument_zero(std::string name) {
  argument_zero_ = std::move(name);
  return *this;
}

Command& Command::set_environment(std::string name, std::string value) {
  environment_.insert_or_assign(std::move(name), std::move(value));
  return *this;
}

Command& Command::unset_environment(std::string name) {
  environment_.insert_or_assign(std::move(name), std::nullopt);
  return *this;
}

Command& Command::clear_environment() {
  environment_.clear();
  clears_environment_ = true;
  return *this;
}

Command& Command::directory(std::string path) {
  directory_ = std::move(path);
  return *this;
}

Command& Command::standard_input(Stdio input) {
  input_ = input;
  return *this;
}

Command& Command::standard_output(Stdio output) {
  output_ = output;
  return *this;
}

Command& Command::standard_error(Stdio error) {
  error_ = error;
  return *this;
}

Command& Command::pass_descriptor(int number, int as) {
  passed_.push_back({number, as});
  return *this;
}

Command& Command::inherit_descriptors(bool inherit) {
  inherits_descriptors_ = inherit;
  return *this;
}

Command& Command::group(ProcessGroup group) {
  group_ = group;
  return *this;
}

Command& Command::grace(std::chrono::nanoseconds grace) {
  grace_ = grace;
  return *this;
}

Command& Command::die_with_parent(int signal) {
  death_signal_ = signal;
  return *this;
}

Result<Child> Command::spawn(Deadline deadline) const {
  Launch launch(*this);
  return launch.start(launch.standard_streams({Stdio::inherit(), Stdio::inherit(), Stdio::inherit()}),
                      deadline);
}

Result<ExitStatus> Command::run(Deadline deadline) const {
  const CancelScope scope(deadline);
  Result<Child> child = spawn();
  if (!child) return child.failure();
  child->output() = {};
  child->error() = {};
  Result<ExitStatus> status = child->wait();
  if (!status) [[maybe_unused]]
    const Result<ExitStatus> stopped = child->stop();
  return status;
}

}  // namespace weft::process
