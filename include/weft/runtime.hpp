// SPDX-License-Identifier: Apache-2.0
#pragma once

// Start here.
//
//   run.hpp                weft::run(f): runs a function as the first fiber of a program
//   this_fiber.hpp         spawn(), yield(), sleep(), and the properties of the calling fiber
//   join_handle.hpp        the result of spawn()
//   execution_context.hpp  which threads run which fibers: parallel, concurrent and isolated contexts
//   mutex.hpp, shared_mutex.hpp, condition_variable.hpp, semaphore.hpp, wait_group.hpp, latch.hpp, once.hpp
//                          synchronization under the names of the standard library
//   channel.hpp            Channel<T>: values from fiber to fiber
//   broadcast_channel.hpp, watch_channel.hpp
//                          values for all subscribers; one value and its changes
//   select.hpp             select(): waits for one of several channels, deadlines, fibers, sockets
//   ticker.hpp, rate_limiter.hpp
//                          ticks without drift; a limit on permits for each second
//   boot_clock.hpp         time that goes on while the machine is suspended
//   task_group.hpp         children that end with a block; all.hpp, race.hpp
//   cancel_scope.hpp       deadlines and cancellation of a block; with_timeout.hpp, cancel_token.hpp
//   blocking.hpp, blocking_pool.hpp  calls that block, on threads of their own
//   scoped_value.hpp       values that are bound for a block, per fiber
//   event_loop_strategy.hpp  how event loops and descriptors are related
//   net/                   streams, listeners, addresses: TCP and Unix sockets
//   signal_set.hpp         signals of the operating system; run.hpp stops a program on them
//   io/                    readers and writers, pipes, lines, copying; waiting for descriptors of C libraries
//   http/                  an HTTP/1.1 server
//   result.hpp, error.hpp  how calls fail;  deadline.hpp  how long they may take
//   counters.hpp           counts for event loops, contexts and connections
//   memory.hpp             gives the memory of unused stacks back to the kernel
//   dump.hpp               lists all fibers and what they wait for
//   deadlock.hpp, monitor.hpp, migration.hpp
//                          reports: deadlocks, leaks, fibers that do not suspend, sockets in two contexts
//
// The documentation of each call says whether it suspends. A call that can fail returns a Result; its value()
// throws the error as an exception.

#include <weft/run.hpp>
#include <weft/this_fiber.hpp>
