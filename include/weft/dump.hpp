// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstdio>
#include <string>

namespace weft {

/// Lists all fibers: name, number, state, context, and where each was spawned. For a suspended fiber it also
/// says what the fiber waits for, and gives its backtrace, innermost frame first. Cycles of fibers that wait
/// for one another follow. The dump shows at most 1,000 fibers; its last line has the total number.
///
/// The program keeps running while the dump is made. The entry of one fiber is consistent; the entries of
/// different fibers are from different moments. A fiber is held only for as long as it takes to copy its
/// return addresses. Backtraces follow frame pointers: they show code that was built with
/// -fno-omit-frame-pointer, with function names and, if there is debug information (-g1 is enough), with
/// lines. They leave out the library's own frames. Builds with WEFT_CHECK_LOCKS also show the owner of a
/// mutex.
///
/// Does not suspend. The time grows with the number of fibers. Any thread or fiber may call it; calls run one
/// at a time. Throws std::bad_alloc.
std::string dump_to_string();
/// The same, written to a file descriptor or a stream. Text that cannot be written is lost. Text for standard
/// error (2) is also lost if the pipe behind it stays full for 100 ms.
void dump(int fd = 2);
void dump(std::FILE* stream);

/// Makes the signal write a dump to standard error from now on, for the life of the process. The program then
/// continues. The function replaces the signal's handler; the new handler only wakes a thread of the library,
/// which writes the dump. At least one thread must not block the signal. Under ThreadSanitizer a dump may not
/// come, because it holds signals back while threads sleep. A second call with another signal adds that
/// signal. Throws std::system_error. Any thread may call it.
///
///     weft::dump_on_signal(SIGQUIT);   // kill -QUIT, or Ctrl-\ in a terminal
void dump_on_signal(int signal_number = SIGQUIT);

}  // namespace weft
