// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/semaphore.hpp>

namespace weft::net {

/// Gives a permit that was taken back.
class SemaphoreTurn {
 public:
  explicit SemaphoreTurn(Semaphore& semaphore) noexcept : semaphore_(semaphore) {}
  ~SemaphoreTurn() { semaphore_.release(); }
  SemaphoreTurn(const SemaphoreTurn&) = delete;
  SemaphoreTurn& operator=(const SemaphoreTurn&) = delete;

 private:
  Semaphore& semaphore_;
};

}  // namespace weft::net
