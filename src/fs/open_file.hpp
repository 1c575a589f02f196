// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fs/file_fd.hpp"

#include <weft/fs/file.hpp>

#include <cstdint>
#include <string_view>

namespace weft::fs {

/// openat(2) with what every file of ours has. Suspends: may.
Result<FileFd> open_fd(int directory, const char* path, int flags, std::uint32_t mode, Deadline deadline);

/// The same as a file. `doing` is for the error's text.
Result<File> open_file(std::string_view path, int flags, std::uint32_t mode, Deadline deadline,
                       const char* doing);

}  // namespace weft::fs
