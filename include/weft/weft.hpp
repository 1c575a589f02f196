// SPDX-License-Identifier: Apache-2.0
#pragma once

// All headers of weft. Read runtime.hpp first.

#include <weft/all.hpp>
#include <weft/buffer.hpp>
#include <weft/cancel_scope.hpp>
#include <weft/cancel_token.hpp>
#include <weft/channel.hpp>
#include <weft/condition_variable.hpp>
#include <weft/counters.hpp>
#include <weft/deadline.hpp>
#include <weft/deadlock.hpp>
#include <weft/dump.hpp>
#include <weft/error.hpp>
#include <weft/event_loop_strategy.hpp>
#include <weft/exchange_deadlines.hpp>
#include <weft/execution_context.hpp>
#include <weft/http/server.hpp>
#include <weft/join_handle.hpp>
#include <weft/latch.hpp>
#include <weft/memory.hpp>
#include <weft/migration.hpp>
#include <weft/monitor.hpp>
#include <weft/mutex.hpp>
#include <weft/net/address.hpp>
#include <weft/net/listen_fds.hpp>
#include <weft/net/peer_scope.hpp>
#include <weft/net/progress.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/once.hpp>
#include <weft/race.hpp>
#include <weft/result.hpp>
#include <weft/run.hpp>
#include <weft/runtime.hpp>
#include <weft/scoped_value.hpp>
#include <weft/select.hpp>
#include <weft/semaphore.hpp>
#include <weft/shared_mutex.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>
#include <weft/wait_group.hpp>
#include <weft/with_timeout.hpp>
