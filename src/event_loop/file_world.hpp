// SPDX-License-Identifier: Apache-2.0
#pragma once

// The files of a world that is not the kernel's. Requests are the same (sys/file_request.hpp), descriptors
// are numbers that the kernel never gives.
//
// Thread safety: any thread.

#include "sys/file_request.hpp"

#include <cstdint>

namespace weft {

class FileWorld {
 public:
  /// Descriptors of such worlds are from here on, each number once in the life of the process.
  static constexpr int kDescriptorMin = 1 << 30;

  virtual ~FileWorld() = default;

  /// Carries the request out, at once: the kernel's answer.
  virtual long call(const sys::FileRequest& request) = 0;
  /// How long the next request takes, in virtual time.
  virtual std::int64_t next_latency_ns() = 0;
};

}  // namespace weft
