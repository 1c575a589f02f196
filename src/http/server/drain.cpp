// SPDX-License-Identifier: Apache-2.0
#include "http/server/drain.hpp"

#include <algorithm>

namespace weft::http::server {

void Drain::begin(Deadline deadline) noexcept {
  deadline_ns_.store(std::min(this->deadline(), deadline).time_ns(), relaxed);
  if (begun()) return;
  if (idle_grace_ns_ > 0) idle_until_ns_.store(Deadline::after_ns(idle_grace_ns_).time_ns(), relaxed);
  begun_.store(true, seq_cst);  // then look who is idle: see Connection::idle_
}

}  // namespace weft::http::server
