// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/descriptor/descriptor.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

namespace weft {

/// An operation that is not among the verbs of Files: accepting, connecting, passing messages, splicing. It
/// holds its arguments and its result; Files::perform() gives it the deadline, the turns and the waits of all
/// others. A completion loop would give it a second half, that submits it.
class Operation {
 public:
  const Direction direction;  ///< what it waits for

  /// One try, which does not wait: EAGAIN says "not now". The caller is a user of the descriptor.
  virtual Result<void> attempt(Descriptor& descriptor) = 0;

 protected:
  explicit Operation(Direction of) noexcept : direction(of) {}
  ~Operation() = default;
};

}  // namespace weft
