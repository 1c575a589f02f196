// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/resolve/name_question.hpp"

namespace weft::net {

/// getaddrinfo(3) on a pool of its own. Suspends. A call that is cancelled or out of time returns at once;
/// the thread ends its call later, and nobody sees the answer.
Result<NameAnswer> look_up_by_system(const NameQuestion& question, Deadline deadline);

}  // namespace weft::net
