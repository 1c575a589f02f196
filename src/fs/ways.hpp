// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which ways requests take (docs/design/files.md): what the environment says, and tests.

#include <cstdint>

namespace weft::fs {

struct Ways {
  enum class Hand : std::uint8_t {
    kAny,   ///< the ring if there is one, else the pool
    kRing,  ///< what has an opcode; without a ring, Errc::unsupported
    kPool,
  };
  Hand hand = Hand::kAny;
  bool at_once = true;  ///< bytes in memory are read without handing over

  friend bool operator==(const Ways&, const Ways&) = default;
};

/// Those of WEFT_FILE_BACKEND ("ring", "pool") and WEFT_FILE_NOWAIT ("0"), unless set. Any thread.
Ways ways() noexcept;
/// Operations that begin later take them. Any thread.
void set_ways(Ways ways) noexcept;

}  // namespace weft::fs
