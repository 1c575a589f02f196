// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace weft::http {
class Server;
}

namespace weft::tool {

/// Loads a shared object and has its function
///
///     extern "C" void weft_add_routes(weft::http::Server& server);
///
/// add its routes. It stays loaded. It must be built with the headers of this weft and the same compiler, and
/// not be linked with a weft of its own: it uses this program's. Throws std::runtime_error if there is no
/// such function, and what the function throws.
void add_routes_of_library(http::Server& server, const std::string& path);

}  // namespace weft::tool
