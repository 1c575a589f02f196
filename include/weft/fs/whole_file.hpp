// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/deadline.hpp>
#include <weft/fs/file.hpp>
#include <weft/io/buffered_reader.hpp>
#include <weft/io/progress.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace weft::fs {

/// Returns the whole content of a file. Errc::message_too_large if it is more than `size_max` bytes.
/// Suspends. Errors: as File, with the path.
///
///     std::string text = weft::fs::read_file("settings.ini", 1 << 20).value();
Result<std::string> read_file(std::string_view path, std::size_t size_max,
                              Deadline deadline = Deadline::never());

/// Options for write_file().
struct WriteFileOptions {
  /// Permissions of a file that is new, less the umask. One that is replaced keeps its own.
  std::uint32_t mode = 0666;
  /// Whether content and name are on the disk when the call returns.
  bool sync = true;
};

/// Replaces the file at `path` at one go: whoever opens it, also after a crash, finds the old content or all
/// of the new one. Writes a file beside it, syncs it, renames it, and syncs the directory. A symbolic link at
/// `path` is replaced, not followed. Suspends.
///
/// Returns the number of bytes that were written. After an error the file is as it was before, and nothing is
/// left beside it; only if syncing the directory has failed, the new content is there, and may be gone after
/// a crash. Errors: as File, with the path.
io::Progress write_file(std::string_view path, ConstBuffer data, const WriteFileOptions& options = {},
                        Deadline deadline = Deadline::never());

/// The lines of a file.
///
///     auto lines = weft::fs::Lines::open("access.log").value();
///     while (auto line = lines.next().value()) count(*line);
///
/// Thread safety: one fiber at a time. Suspension, cancellation, deadlines, errors: as File.
class Lines {
 public:
  /// Lines longer than `line_size_max` bytes are Errc::message_too_large.
  static Result<Lines> open(std::string_view path, std::size_t line_size_max = std::size_t{64} * 1024,
                            Deadline deadline = Deadline::never());

  /// The next line, without its end ("\n" or "\r\n"); none: that were all. The last line need not have an
  /// end. The view is valid until the next call. May suspend.
  Result<std::optional<std::string_view>> next(Deadline deadline = Deadline::never());

 private:
  Lines(File file, std::size_t line_size_max);

  std::unique_ptr<File> file_;
  std::unique_ptr<io::BufferedReader> reader_;
  std::size_t line_size_max_;
};

}  // namespace weft::fs
