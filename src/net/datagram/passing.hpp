// SPDX-License-Identifier: Apache-2.0
#pragma once

// Open files beside the bytes of a message (SCM_RIGHTS).

#include "sys/control_message.hpp"

#include <weft/net/passed_files.hpp>
#include <weft/result.hpp>

#include <array>
#include <span>

namespace weft {
namespace net {

struct alignas(cmsghdr) FilesControl {
  std::array<std::byte, sys::control_size(PassedFiles::kFilesMax * sizeof(int))> bytes;
};

/// EINVAL: more than one message can carry.
Result<void> add_files(std::span<const int> files, FilesControl& control, msghdr& message) noexcept;

}  // namespace net

namespace detail {

struct FilesAccess {
  /// `message` has room for as many files as `files` takes, and not for one more. Closes what it held.
  static void make_ready(net::PassedFiles& files, net::FilesControl& control, msghdr& message) noexcept;
  /// Owns every file that came with the message, whatever its control data looks like.
  static void collect(net::PassedFiles& files, const msghdr& message) noexcept;
};

}  // namespace detail

}  // namespace weft
