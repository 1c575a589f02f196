// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/fd.hpp"

#include <weft/result.hpp>

namespace weft::sys {

struct Pipe {
  Fd read_end;
  Fd write_end;
};

/// A pipe whose ends are both non-blocking and close-on-exec.
Result<Pipe> create_pipe() noexcept;

}  // namespace weft::sys
