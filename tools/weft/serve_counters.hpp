// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace weft::http {
class Server;
}

namespace weft::tool {

/// The counters of every execution context of the process and of its event loop, as JSON:
/// {"contexts": [{"name", "parallelism", "scheduler": {...}, "event_loop": {...}}], "total": {"scheduler",
/// "event_loop"}}, with the names of ContextCounters and EventLoopCounters. A loop that several contexts
/// share is in the total once. Any thread.
std::string counters_json();

/// Shows them at `path`. Before the server starts.
void add_counters_route(http::Server& server, const std::string& path);

}  // namespace weft::tool
