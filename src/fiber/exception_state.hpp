// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the C++ runtime keeps for each thread about exceptions in flight: the stack of caught ones and the
// count of uncaught ones. It belongs to the flow that is inside `catch` or unwinding, so it is exchanged at
// each switch: suspending in a handler, and in a destructor during unwinding, works, also across threads.
//
// The Itanium C++ ABI (2.2.2) gives it these two fields and the function that finds them.

namespace weft {

/// The layout of __cxa_eh_globals.
struct ExceptionState {
  void* caught_exceptions = nullptr;
  unsigned int uncaught_exceptions = 0;
};

/// The calling thread's. The address is the thread's own and must not be kept in a fiber over a switch.
ExceptionState* thread_exception_state() noexcept;

}  // namespace weft
