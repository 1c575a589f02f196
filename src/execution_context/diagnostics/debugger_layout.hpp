// SPDX-License-Identifier: Apache-2.0
#pragma once

// What tools/gdb/weft_gdb.py must know to find the fibers of a process, as data of the program itself: the
// script then works on a core file, on a release build without types in its debug information, and on every
// version of weft that has the rows it asks for. Constant: no code runs for it.

#include <cstddef>
#include <cstdint>

namespace weft {

struct DebuggerLayout {
  /// Where a field stands in its object, or the size of one.
  struct Row {
    const char* name;
    std::uint64_t value;
  };
  static constexpr std::uint64_t kVersion = 1;  ///< another one if rows come to mean something else
  static constexpr std::size_t kRowsMax = 24;

  std::uint64_t version;
  const void* stack_pool;  ///< the pool of the process: all fibers
  Row rows[kRowsMax];      ///< ends at a row without a name

  static constexpr DebuggerLayout make() noexcept;
};

}  // namespace weft

/// The name that the script looks for.
extern "C" const weft::DebuggerLayout weft_debugger_layout;
