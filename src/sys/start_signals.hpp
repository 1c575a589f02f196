// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft::sys {

/// What the signals of the program were when it was started, before main(): bit n - 1 stands for signal n. In
/// a plugin: when it was loaded.
struct StartSignals {
  std::uint64_t blocked = 0;  ///< by the thread that started the program
  std::uint64_t ignored = 0;
};

const StartSignals& start_signals() noexcept;

}  // namespace weft::sys
