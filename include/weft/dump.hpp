// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdio>
#include <string>

namespace weft {

/// Every fiber that there is: its name and number, what it does, its context, where it was spawned; of a
/// suspended one also what it waits for and its backtrace, innermost first. Cycles of fibers that wait for
/// one another are named after that. At most 1,000 fibers; how many there are in all is the last line.
///
/// A picture of a moving thing: what stands about one fiber was true at one moment, each at its own. No fiber
/// is stopped for longer than it takes to copy its return addresses. Backtraces follow frame pointers: code
/// built with -fno-omit-frame-pointer is in them, with functions and, with debug information (-g1 is enough),
/// lines; the library's own frames are left out. Who owns a mutex is known in builds with WEFT_CHECK_LOCKS.
///
/// Does not suspend; takes time with the number of fibers. Any thread or fiber, one at a time: others wait.
/// Throws std::bad_alloc.
std::string dump_to_string();
/// The same to a file descriptor, or a stream. What cannot be written is lost; at standard error (2) so is
/// what nobody makes room for within 100 ms.
void dump(int fd = 2);
void dump(std::FILE* stream);

/// From now on the signal makes a dump to standard error, and the program goes on. The handler only wakes a
/// thread of the library, which writes; replaces the signal's handler; for the life of the process. Threads
/// that block the signal are not interrupted; some thread must not. TSan holds signals back while threads
/// sleep: with it a dump may not come. Throws std::system_error. Once for a
/// process: a second call with another signal adds that one. Any thread.
///
///     weft::dump_on_signal(SIGQUIT);   // kill -QUIT, or Ctrl-\ in a terminal
void dump_on_signal(int signal_number = SIGQUIT);

}  // namespace weft
