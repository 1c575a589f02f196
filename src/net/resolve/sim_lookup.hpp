// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/network_names.hpp"
#include "net/resolve/name_question.hpp"

namespace weft::net {

/// Asks the names of a simulated world. Suspends for as long as the answer takes.
Result<NameAnswer> look_up_simulated(const NetworkNames& names, const NameQuestion& question,
                                     Deadline deadline);

}  // namespace weft::net
