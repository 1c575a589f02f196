// SPDX-License-Identifier: Apache-2.0
#pragma once

// One start of a program: everything that the child needs, made ready before it is there, as nothing can be
// allocated then.

#include "process/child_core.hpp"
#include "process/environment.hpp"
#include "process/streams.hpp"
#include "sys/child_plan.hpp"

#include <weft/process/command.hpp>

#include <memory>
#include <string>
#include <vector>

namespace weft::process {

/// The standard streams of one start.
struct StandardStreams {
  Stdio input;
  Stdio output;
  Stdio error;
};

class Launch {
 public:
  explicit Launch(const Command& command)
      : command_(command), environment_(command.environment_, command.clears_environment_) {}

  /// What the command says, and for streams that it does not set, what `otherwise` says.
  StandardStreams standard_streams(const StandardStreams& otherwise) const noexcept;

  /// Starts it, once.
  Result<Child> start(const StandardStreams& standard, Deadline deadline);

 private:
  Result<void> check() const;
  Result<void> open(const StandardStreams& standard, Streams& streams) const;
  void plan(Streams& streams);
  Result<std::unique_ptr<ChildCore>> start_planned(Deadline deadline);
  weft::detail::Failure failure_of(std::error_code error) const;

  const Command& command_;
  Environment environment_;
  std::vector<std::string> files_;
  std::vector<const char*> programs_;
  std::vector<char*> arguments_;
  sys::ChildPlan plan_;
};

}  // namespace weft::process
