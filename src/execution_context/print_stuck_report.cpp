// SPDX-License-Identifier: Apache-2.0
#include "base/panic.hpp"

#include <weft/monitor.hpp>

#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <dlfcn.h>
#include <memory>
#include <string>

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

/// `function + 0x12 (program + 0x3456)`; the second half is what addr2line wants.
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

}  // namespace

void print_stuck_report(const StuckReport& report) {
  using Milliseconds = std::chrono::milliseconds;
  const std::string ms = std::to_string(std::chrono::duration_cast<Milliseconds>(report.stuck_for).count());
  write_to_stderr({"weft: fiber ", report.fiber, " has not suspended for ", ms, " ms: it keeps scheduler ",
                   std::to_string(report.scheduler), " of context \"", report.context,
                   "\" from running others\n"});
  std::size_t number = 0;
  for (void* const address : report.backtrace) {
    write_to_stderr({"weft:   #", std::to_string(number++), " ", describe_address(address), "\n"});
  }
}

}  // namespace weft
