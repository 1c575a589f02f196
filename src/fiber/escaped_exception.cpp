// SPDX-License-Identifier: Apache-2.0
#include "fiber/escaped_exception.hpp"

#include "base/panic.hpp"
#include "fiber/describe.hpp"
#include "fiber/fiber.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <string_view>
#include <typeinfo>

namespace weft {
namespace {

/// The type's name as written in the source, or as the linker sees it if memory is short.
class TypeName {
 public:
  explicit TypeName(const std::type_info& type) noexcept : mangled_(type.name()) {
    int status = 0;
    readable_ = abi::__cxa_demangle(mangled_, nullptr, nullptr, &status);
  }
  TypeName(const TypeName&) = delete;
  TypeName& operator=(const TypeName&) = delete;
  ~TypeName() { std::free(readable_); }

  std::string_view view() const noexcept { return readable_ != nullptr ? readable_ : mangled_; }

 private:
  const char* mangled_;
  char* readable_;
};

void report(Fiber& fiber, std::string_view type, std::string_view what) noexcept {
  const FiberDescription description(fiber);
  write_to_stderr({"weft: an exception left fiber ", description.view(), " and nobody joins it: ", type,
                   what.empty() ? "" : ": ", what, "\n"});
}

}  // namespace

[[noreturn]] void terminate_for_exception(Fiber& fiber) noexcept {
  try {
    std::rethrow_exception(fiber.exception);
  } catch (const std::exception& exception) {
    report(fiber, TypeName(typeid(exception)).view(), exception.what());
  } catch (...) {
    report(fiber, TypeName(*abi::__cxa_current_exception_type()).view(), "");
  }
  std::terminate();
}

}  // namespace weft
