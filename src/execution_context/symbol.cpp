// SPDX-License-Identifier: Apache-2.0
#include "execution_context/symbol.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <dlfcn.h>
#include <memory>

namespace weft {
namespace {

struct Free {
  void operator()(char* text) const noexcept { std::free(text); }
};

std::string readable(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, Free> text(abi::__cxa_demangle(mangled, nullptr, nullptr, &status));
  return text ? text.get() : mangled;
}

std::string hexadecimal(std::uintptr_t value) {
  char digits[24];
  std::snprintf(digits, sizeof(digits), "%#lx", static_cast<unsigned long>(value));
  return digits;
}

}  // namespace

std::string describe_address(void* address) {
  const auto value = reinterpret_cast<std::uintptr_t>(address);
  Dl_info info{};
  if (::dladdr(address, &info) == 0) return hexadecimal(value);
  std::string text;
  if (info.dli_sname != nullptr) {
    const auto start = reinterpret_cast<std::uintptr_t>(info.dli_saddr);
    text = readable(info.dli_sname) + " + " + hexadecimal(value - start) + ' ';
  }
  const auto base = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
  return text + '(' + info.dli_fname + " + " + hexadecimal(value - base) + ')';
}

}  // namespace weft
