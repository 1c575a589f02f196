// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <sys/types.h>

namespace weft {

/// A signal of the operating system that has come.
struct Signal {
  int number = 0;  ///< SIGINT, SIGTERM, ...
  pid_t sender =
      0;  ///< the process that sent it, for SIGCHLD the child; 0: the kernel, or not known any more
};

/// Sends the signal to this process. If a SignalSet waits for it, the set has it when this call returns,
/// without a detour through the kernel; so it is the same each time in a simulated world, too. Otherwise
/// like ::raise(): the signal does what it does without weft. Does not suspend. Throws std::system_error if
/// there is no such signal.
void raise_signal(int number);

}  // namespace weft
