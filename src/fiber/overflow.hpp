// SPDX-License-Identifier: Apache-2.0
#pragma once

// A fiber that runs out of stack hits its guard. The report names it, as a bare SIGSEGV would not:
//
//   weft: stack overflow in fiber "resize images" (128 KiB stack, spawned at gallery.cpp:42)
//
// then the program dies by the signal, as without weft. Faults anywhere else go to the handler that was
// installed before (a sanitizer's, a crash reporter's).

namespace weft {

/// Installs the handler of SIGSEGV and SIGBUS. Once for a process; further calls do nothing. Any thread.
void install_overflow_handler() noexcept;

/// Gives the calling thread a stack for that handler, the one in use being full; until the thread ends.
/// Every thread that runs fibers calls it. Without memory for it an overflow is not reported but still fatal.
void enable_alternate_stack() noexcept;

}  // namespace weft
