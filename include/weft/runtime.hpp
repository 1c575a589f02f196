// SPDX-License-Identifier: Apache-2.0
#pragma once

// Start here.
//
//   run.hpp                weft::run(f): main() of a program on fibers
//   this_fiber.hpp         spawn(), yield(), sleep(), and what a fiber may ask about itself
//   join_handle.hpp        what spawn() returns
//   execution_context.hpp  which threads run which fibers: Parallel-, Concurrent- and IsolatedContext
//   mutex.hpp, shared_mutex.hpp, condition_variable.hpp, semaphore.hpp, wait_group.hpp, latch.hpp, once.hpp
//                          synchronization under the names of the standard library
//   channel.hpp            Channel<T>: values from fiber to fiber
//   broadcast_channel.hpp, watch_channel.hpp
//                          values for all who have subscribed; one value and its changes
//   select.hpp             select(): one of several channels, deadlines, fibers, sockets
//   ticker.hpp, rate_limiter.hpp
//                          each multiple of a period; at most so many a second
//   task_group.hpp         children that end with a block; all.hpp, race.hpp
//   cancel_scope.hpp       deadlines and cancellation of a block; with_timeout.hpp, cancel_token.hpp
//   scoped_value.hpp       values that are bound for a block, per fiber
//   event_loop_strategy.hpp how contexts wait for files, for those who compare or must choose
//   net/                   TcpListener, TcpStream, addresses
//   http/                  an HTTP/1.1 server
//   result.hpp, error.hpp  how calls fail;  deadline.hpp  how long they may take
//   counters.hpp           what event loops, contexts and connections have done
//   memory.hpp             memory that goes back to the kernel
//   dump.hpp               all fibers and what they wait for
//   deadlock.hpp, monitor.hpp, migration.hpp
//                          reports: deadlocks, leaks, fibers that keep their thread, sockets that move
//
// Every call that may suspend says so. A call that can fail returns a Result, whose value() throws for those
// who prefer exceptions.

#include <weft/run.hpp>
#include <weft/this_fiber.hpp>
