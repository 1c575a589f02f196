// SPDX-License-Identifier: Apache-2.0
#include <weft/io/copy.hpp>

#include "io/file_sending.hpp"
#include "io/own_type_check.hpp"
#include "io/splicing.hpp"

#include <algorithm>
#include <memory>

namespace weft::io {
namespace {

/// A block of memory that is there while there may be something to read.
class LentPiece final : public BufferSource {
 public:
  explicit LentPiece(std::size_t size) noexcept : size_(size) {}

  std::span<std::byte> take() override {
    if (bytes_ == nullptr) bytes_ = std::make_unique_for_overwrite<std::byte[]>(kCopyPieceMax);
    return {bytes_.get(), size_};
  }
  void give_back() noexcept override { bytes_.reset(); }

  std::size_t size() const noexcept { return size_; }
  void resize(std::size_t size) noexcept { size_ = size; }
  std::span<const std::byte> first(std::size_t size) const noexcept { return {bytes_.get(), size}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

bool is_end(const std::error_code& error) noexcept { return error == make_error_code(Errc::end_of_file); }

/// Until `size_max` bytes were written.
Progress copy_through_memory(Reader& from, Writer& to, std::uint64_t size_max, Deadline deadline) {
  LentPiece piece(0);
  for (std::uint64_t moved = 0; moved < size_max;) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyPieceMax, size_max - moved)));
    const Result<std::size_t> n = from.read_some_until(piece, deadline);
    if (!n) return {moved, is_end(n.error()) ? Result<void>() : Result<void>(n.error())};
    const std::span<const std::byte> read = piece.first(checked_read(*n, piece.size()));
    const Progress written = to.write_all_until(ConstBuffer(read), deadline);
    moved += written.bytes();
    if (!written) return {moved, written.error()};
    if (moved < size_max && deadline.passed()) return {moved, Errc::timed_out};
  }
  return {static_cast<std::size_t>(size_max), {}};
}

/// Pieces that are in memory are sent by the kernel, the others through ours.
Progress copy_from_file(Reader& from, Writer& to, FileSending& sending, std::uint64_t size_max,
                        Deadline deadline) {
  std::uint64_t moved = 0;
  while (moved < size_max) {
    const std::uint64_t size = std::min<std::uint64_t>(size_max - moved, FileSending::kPieceMax);
    Progress piece(0, {});
    const FileSending::Next next = sending.send_piece(static_cast<std::size_t>(size), deadline, piece);
    if (next == FileSending::Next::kCopy) piece = copy_through_memory(from, to, size, deadline);
    if (next == FileSending::Next::kRefused)
      piece = copy_through_memory(from, to, size_max - moved, deadline);
    moved += piece.bytes();
    if (!piece) return {moved, piece.error()};
    if (next == FileSending::Next::kEnd || next == FileSending::Next::kRefused) break;
    if (next == FileSending::Next::kCopy && piece.bytes() < size) break;
    if (moved < size_max && deadline.passed()) return {moved, Errc::timed_out};
  }
  return {static_cast<std::size_t>(moved), {}};
}

/// By what both sides can do.
Progress copy_rest(Reader& from, Writer& to, std::uint64_t size_max, Deadline deadline) {
  using weft::detail::StreamAccess;
  const DescriptorHandle target = StreamAccess::handle(to);
  if (weft::detail::FileSource* const file = StreamAccess::file(from)) {
    FileSending sending(*file, target);
    if (sending.possible()) return copy_from_file(from, to, sending, size_max, deadline);
    return copy_through_memory(from, to, size_max, deadline);
  }
  Splicing splicing(StreamAccess::handle(from), target);
  return splicing.possible() ? splicing.run(size_max, deadline)
                             : copy_through_memory(from, to, size_max, deadline);
}

}  // namespace

Progress copy(Reader& from, Writer& to, const CopyOptions& options) {
  const std::uint64_t buffered = std::min<std::uint64_t>(from.buffered(), options.size_max);
  std::size_t moved = 0;
  if (buffered > 0) {
    const Progress first = copy_through_memory(from, to, buffered, options.deadline);
    if (!first || first.bytes() < buffered) return first;
    moved = first.bytes();
  }
  const std::uint64_t left = options.size_max - moved;
  if (left == 0) return {moved, {}};
  const Progress rest = copy_rest(from, to, left, options.deadline);
  return {moved + rest.bytes(), rest ? Result<void>() : Result<void>(rest.error())};
}

}  // namespace weft::io
