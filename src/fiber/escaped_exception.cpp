// SPDX-License-Identifier: Apache-2.0
#include "fiber/escaped_exception.hpp"

#include "base/current_exception.hpp"
#include "base/panic.hpp"
#include "fiber/describe.hpp"
#include "fiber/fiber.hpp"

namespace weft {

[[noreturn]] void terminate_for_exception(Fiber& fiber) noexcept {
  try {
    std::rethrow_exception(fiber.exception);
  } catch (...) {
    const FiberDescription description(fiber);
    const CurrentException exception;
    write_to_stderr({"weft: an exception left fiber ", description.view(), " and nobody joins it: ",
                     exception.type(), exception.separator(), exception.what(), "\n"});
  }
  std::terminate();
}

}  // namespace weft
