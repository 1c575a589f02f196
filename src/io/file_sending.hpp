// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sending a file to a socket or pipe inside of the kernel (sendfile). The kernel would wait for the disk,
// with the thread: so a piece is sent only if all of it is in memory. A piece that is not is read as any
// other (docs/design/files.md, "sending a file").
//
// Thread safety: one fiber's.

#include "event_loop/descriptor/descriptor.hpp"

#include <weft/deadline.hpp>
#include <weft/detail/file_source.hpp>
#include <weft/io/progress.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::io {

class FileSending {
 public:
  /// How much is looked at, and sent in one turn to write.
  static constexpr std::size_t kPieceMax = std::size_t{1024} * 1024;

  /// What there is to be done with the next piece.
  enum class Next : std::uint8_t {
    kMore,    ///< it was sent
    kCopy,    ///< it is not in memory: read it
    kEnd,     ///< of the file; or an error, which is in `progress`
    kRefused  ///< the kernel cannot send this file: read all of it
  };

  FileSending(weft::detail::FileSource& from, DescriptorHandle to) noexcept : from_(from), to_(to) {}

  /// `to` is a socket or pipe of the kernel's.
  bool possible() const noexcept;
  /// Sends the next piece, at most `size` bytes. What was moved is in `progress`. REQUIRES: possible().
  Next send_piece(std::size_t size, Deadline deadline, Progress& progress);

 private:
  Next send(int fd, std::size_t size, Deadline deadline, Progress& progress);

  weft::detail::FileSource& from_;
  const DescriptorHandle to_;
};

}  // namespace weft::io
