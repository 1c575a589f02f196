// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/file_request.hpp"

#include <weft/fs/status.hpp>

namespace weft::fs {

/// Carries out a request of kind kStatus. Suspends: may.
Result<FileStatus> status_of(sys::FileRequest request, Deadline deadline);

/// Of the d_type of a directory's entry.
FileType type_of_entry(unsigned char d_type) noexcept;

}  // namespace weft::fs
