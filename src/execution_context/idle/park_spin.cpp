// SPDX-License-Identifier: Apache-2.0
#include "execution_context/idle/park_spin.hpp"

#include "base/atomic.hpp"
#include "base/clock.hpp"
#include "sys/thread.hpp"

namespace weft {
namespace {

/// Looks at the token between two at the clock.
constexpr int kLooks = 16;

}  // namespace

void ParkSpin::park(Parker& parker, int thread_id) noexcept {
  const bool slept = !(policy_.spinning() && spin(parker)) && parker.park();
  policy_.polled(1, slept ? 1 : 0);
  const std::int64_t now = monotonic_ns();  // real time, also beside a simulation
  if (policy_.window_over(now)) [[unlikely]]
    policy_.decide(now, {sys::thread_cpu_ns(), static_cast<std::uint64_t>(thread_id)});
}

// False: nobody has unparked it meanwhile.
bool ParkSpin::spin(Parker& parker) noexcept {
  const std::int64_t end = monotonic_ns() + SpinPolicy::kSpinNs;
  bool unparked = false;
  do {
    for (int i = 0; i < kLooks && !unparked; ++i) {
      cpu_relax();
      unparked = parker.try_take();
    }
  } while (!unparked && monotonic_ns() < end);
  policy_.spun(unparked);
  spins_.add();
  if (unparked) useful_spins_.add();
  return unparked;
}

}  // namespace weft
