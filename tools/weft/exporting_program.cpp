// SPDX-License-Identifier: Apache-2.0
#include "exporting_program.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace weft::tool {

bool exports_weft() noexcept { return WEFT_EXPORTS != 0; }

int become_exporting_program(char** arguments) {
  std::error_code error;
  const auto program =
      std::filesystem::read_symlink("/proc/self/exe", error).replace_filename("weft-exports");
  if (!error) {
    execv(program.c_str(), arguments);
    error.assign(errno, std::system_category());
  }
  std::fprintf(stderr, "error: --handler needs %s: %s\n", program.c_str(), error.message().c_str());
  return 1;
}

}  // namespace weft::tool
