// SPDX-License-Identifier: Apache-2.0
#include "base/current_exception.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <exception>
#include <typeinfo>

namespace weft {

CurrentException::CurrentException() noexcept {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  mangled_ = type == nullptr ? "a foreign exception" : type->name();
  int status = 0;
  readable_ = type == nullptr ? nullptr : abi::__cxa_demangle(mangled_, nullptr, nullptr, &status);
  try {
    // cppcheck-suppress rethrowNoCurrentException; called in a catch block
    throw;
  } catch (const std::exception& exception) {
    if (const char* const what = exception.what(); what != nullptr) what_ = what;
  } catch (...) {}
}

CurrentException::~CurrentException() { std::free(readable_); }

}  // namespace weft
