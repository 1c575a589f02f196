// SPDX-License-Identifier: Apache-2.0
// How a program got to where the library found a mistake of it. By the unwinder of exceptions, which follows
// what the compiler says of each function (.eh_frame): also through a program's code that keeps no frame
// pointers. It is no signal handler that asks, so it may take its time and the unwinder's locks.
#include "base/panic.hpp"
#include "execution_context/diagnostics/symbol.hpp"

#include <array>
#include <cstddef>
#include <new>
#include <span>
#include <string>
#include <unwind.h>

namespace weft {
namespace {

struct Found {
  std::array<void*, 64> frames;
  std::size_t count = 0;
};

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* argument) {
  auto& found = *static_cast<Found*>(argument);
  void* const address = reinterpret_cast<void*>(_Unwind_GetIP(context));
  if (address == nullptr || found.count == found.frames.size()) return _URC_END_OF_STACK;
  found.frames[found.count++] = address;
  return _URC_NO_REASON;
}

void tell(const char* file, int line) {
  Found found;
  _Unwind_Backtrace(add_frame, &found);
  const CallerDescription caller = describe_caller(std::span(found.frames).first(found.count));
  const std::string here = std::string(file) + ':' + std::to_string(line);
  const bool found_by_us = in_own_sources(file) && !caller.place.empty();
  write_to_stderr({" at ", found_by_us ? caller.place : here, "\n"});
  if (found_by_us) write_to_stderr({"weft: found at ", here, "; the program came from:\n"});
  for (const std::string& frame : caller.frames) write_to_stderr({"weft:     ", frame, "\n"});
}

void tell_who_called(const char* file, int line) {
  try {
    tell(file, line);
  } catch (const std::bad_alloc&) {
    write_to_stderr({" at ", file, ":", std::to_string(line), " (no memory for a backtrace)\n"});
  }
}

// From the start of the program: a mistake may come before the first context.
[[maybe_unused]] const bool installed = (set_panic_witness(tell_who_called), true);

}  // namespace

void keep_panic_witness() noexcept {}

}  // namespace weft
