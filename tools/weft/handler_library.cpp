// SPDX-License-Identifier: Apache-2.0
#include "handler_library.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <stdexcept>

namespace weft::tool {
namespace {

constexpr const char* kEntryPoint = "weft_add_routes";

[[noreturn]] void refuse(const std::string& path) {
  const char* const message = dlerror();
  throw std::runtime_error(path + ": " + (message == nullptr ? "not loaded" : message));
}

}  // namespace

void add_routes_of_library(http::Server& server, const std::string& path) {
  // A path, not a name that is looked for. Bound now: a symbol that is missing is said before the first
  // request.
  void* const library = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) refuse(path);
  using AddRoutes = void (*)(http::Server&);
  const auto add_routes = reinterpret_cast<AddRoutes>(dlsym(library, kEntryPoint));
  if (add_routes == nullptr) refuse(path);
  add_routes(server);
}

}  // namespace weft::tool
