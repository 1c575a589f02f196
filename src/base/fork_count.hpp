// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft {

/// How many calls of fork() made this process: 0 in the one that the program began in. Counted up in the
/// child while it has one thread (execution_context/forked_child.cpp), constant otherwise.
inline constinit std::uint32_t fork_count = 0;

}  // namespace weft
