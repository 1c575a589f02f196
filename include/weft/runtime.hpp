// SPDX-License-Identifier: Apache-2.0
#pragma once

// Start here.
//
//   run.hpp                weft::run(f): main() of a program on fibers
//   this_fiber.hpp         spawn(), yield(), sleep(), and what a fiber may ask about itself
//   join_handle.hpp        what spawn() returns
//   execution_context.hpp  which threads run which fibers: Parallel-, Concurrent- and IsolatedContext
//   event_loop_strategy.hpp how contexts wait for files, for those who compare or must choose
//   net/                   TcpListener, TcpStream, addresses
//   http/                  an HTTP/1.1 server
//   result.hpp, error.hpp  how calls fail;  deadline.hpp  how long they may take
//   counters.hpp           what event loops, contexts and connections have done
//
// Every call that may suspend says so. A call that can fail returns a Result, whose value() throws for those
// who prefer exceptions.

#include <weft/run.hpp>
#include <weft/this_fiber.hpp>
