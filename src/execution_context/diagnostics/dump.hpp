// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/detail_names.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace weft {

/// Writes every live fiber to standard error, at most kDumpFibersMax, for a program that is about to abort,
/// in whatever state it is: one line for each, takes no lock that somebody may hold, and frees nothing. The
/// panic hook. <weft/dump.hpp> is for programs that go on.
void dump_fibers_and_die() noexcept;

/// All of a text, in one piece if the file takes it so. What cannot be written is lost.
void write_text(int fd, std::string_view text) noexcept;

inline constexpr std::size_t kDumpFibersMax = 1000;

/// In a child of fork(): what another thread was writing is not being written here.
void forget_dumps_in_progress() noexcept;
/// The same: there is no thread that dump_on_signal() started, until a context is made.
void forget_dump_thread() noexcept;
void restart_dump_thread();

struct FiberList {
  std::size_t count = 0;
  std::string text;
};
/// As dump_to_string(), of the fibers only that a context which is being closed still has; it is compared and
/// not touched.
FiberList dump_of_context(const Context* context);

}  // namespace weft
