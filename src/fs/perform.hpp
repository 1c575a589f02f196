// SPDX-License-Identifier: Apache-2.0
#pragma once

// How requests to file systems are carried out: at once, by the ring of the fiber's loop, or on the blocking
// pool (docs/design/files.md).
//
// Thread safety: by fibers of any context.

#include "event_loop/file_world.hpp"
#include "sys/file_request.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace weft::fs {

/// The kernel's count, or 0. A request that has started is waited for. Suspends: may. On a plain thread it
/// blocks.
Result<std::size_t> perform(const sys::FileRequest& request, Deadline deadline);

/// The same for a read, which is tried at once before. `at_once` becomes false for a file whose file system
/// cannot do that.
Result<std::size_t> perform_read(const sys::FileRequest& request, Deadline deadline, bool& at_once);

/// A request that never waits: locks without waiting, rewinding. Does not look whether the fiber was
/// cancelled. Suspends: no.
Result<std::size_t> perform_at_once(const sys::FileRequest& request);

/// The files of the simulated world that the caller lives in; null: the kernel's.
std::shared_ptr<FileWorld> file_world_here() noexcept;

/// A path as the kernel takes it. EINVAL if it has a NUL.
Result<std::string> path_for_kernel(std::string_view path);

}  // namespace weft::fs
