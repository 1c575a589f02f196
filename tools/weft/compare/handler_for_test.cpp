// SPDX-License-Identifier: Apache-2.0
// A shared object for weft serve --handler.
#include <weft/http/server.hpp>

extern "C" void weft_add_routes(weft::http::Server& server);

extern "C" void weft_add_routes(weft::http::Server& server) {
  server.get("/from-the-library", [](const weft::http::Request&, weft::http::Response& response) {
    response.text("from the library");
  });
}
