// SPDX-License-Identifier: Apache-2.0
#include "execution_context/memory/stack_shortage.hpp"

#include "fiber/stack_pool.hpp"
#include "sys/mapping.hpp"

#include <weft/memory.hpp>

#include <cstdio>

namespace weft {
namespace {

constexpr std::size_t kGuardSharesOfMappings = 8;  // of which guards get three, of two mappings each

const char* text_of_guards() noexcept {
  static char text[320];
  static const bool written = [] {
    std::size_t count = 0;
    try {
      count = sys::mapping_count_max().value_or(0);
    } catch (const std::bad_alloc&) {  // the text is the same, but for the number
    }
    return std::snprintf(
               text, sizeof text,
               "weft: no guard for another fiber's stack: before Linux 6.13 each takes two of the "
               "vm.max_map_count (%zu) mappings of a process. Raise it (sysctl vm.max_map_count), or "
               "allow stacks without a guard (weft::set_stack_guards)",
               count) > 0;
  }();
  return written ? text : "weft: vm.max_map_count";
}

}  // namespace

StackShortage::StackShortage() noexcept
    : text_(StackPool::process().lacks_guards()
                ? text_of_guards()
                : "weft: no memory for another fiber's stack, or none as large as asked for") {}

void set_stack_guards(StackGuards guards) {
  StackGuardLimit limit;
  if (guards == StackGuards::kWhereAvailable) {
    limit.required = false;
    if (const Result<std::size_t> mappings = sys::mapping_count_max())
      limit.protected_max = static_cast<std::uint32_t>(*mappings / kGuardSharesOfMappings * 3);
  }
  StackPool::process().set_guard_limit(limit);
}

}  // namespace weft
