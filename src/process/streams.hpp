// SPDX-License-Identifier: Apache-2.0
#pragma once

// The descriptors of a new process: which of this one become which of its own, and this program's ends of the
// pipes to it.

#include "sys/child_plan.hpp"
#include "sys/fd.hpp"

#include <weft/io/pipe.hpp>
#include <weft/process/stdio.hpp>
#include <weft/result.hpp>

#include <vector>

namespace weft::process {

class Streams {
 public:
  /// By a fiber. What could not be opened has an error that says which it was.
  Result<void> open_input(Stdio input);
  Result<void> open_output(Stdio output);
  Result<void> open_error(Stdio error);
  /// EINVAL: `as` is taken. EBADF: a number that none can have.
  Result<void> pass(int number, int as);

  /// Those of the child; valid until the next change.
  std::vector<sys::ChildDescriptor>& for_child() noexcept { return descriptors_; }

  io::PipeWriter input;
  io::PipeReader output;
  io::PipeReader error;

 private:
  Result<void> open_writing(Stdio stream, int target, io::PipeReader& own);
  Result<void> give_null(int target);
  /// The child gets `fd`, which is open until it has been started.
  void give(sys::Fd fd, int target);

  std::vector<sys::ChildDescriptor> descriptors_;
  std::vector<sys::Fd> open_;
};

}  // namespace weft::process
