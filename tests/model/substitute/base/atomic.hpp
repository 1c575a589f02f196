// SPDX-License-Identifier: Apache-2.0
#pragma once

// base/atomic.hpp as the model checker has it: see <weft/detail/atomic.hpp> beside it.

#include <weft/detail/atomic.hpp>

#include "base/sanitizers.hpp"

namespace weft {

using detail::Atomic;

using detail::acq_rel;
using detail::acquire;
using detail::relaxed;
using detail::release;
using detail::seq_cst;

inline void full_fence(model::Where where = model::Where::here()) noexcept {
  if (model::hooks::active()) model::hooks::fence(where);
}
inline void cpu_relax(model::Where where = model::Where::here()) noexcept {
  if (model::hooks::active()) model::hooks::spin(where);
}
inline void yield_cpu(model::Where where = model::Where::here()) noexcept { cpu_relax(where); }

}  // namespace weft
