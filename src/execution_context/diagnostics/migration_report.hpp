// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft {

/// Hands every report that nobody was told of to the handler, or prints it. By the monitor's thread.
void tell_about_migrations();

/// Makes what users can set here, if nobody did: it must be whole before a fork().
void make_migration_handler() noexcept;

}  // namespace weft
