// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// Hands every report that nobody was told of to the handler, or prints it. By the monitor's thread.
void tell_about_migrations();

}  // namespace weft
