// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft::detail {

/// A reader of a file whose bytes the kernel can send by itself. No promises about this header.
class FileSource {
 public:
  /// The file descriptor, which stays open until end_sending(); -1 if it is closed.
  virtual int begin_sending() noexcept = 0;
  virtual void end_sending() noexcept = 0;
  /// Where the next read begins. By the fiber that reads.
  virtual std::uint64_t sending_position() const noexcept = 0;
  virtual void move_sending_position(std::uint64_t position) noexcept = 0;

 protected:
  ~FileSource() = default;
};

}  // namespace weft::detail
