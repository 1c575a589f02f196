// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/detail_names.hpp"

namespace weft {

/// Ends the program because an exception left `fiber` and nobody can receive it: says which fiber, where it
/// was spawned and what it threw, then calls std::terminate().
[[noreturn]] void terminate_for_exception(Fiber& fiber) noexcept;

}  // namespace weft
