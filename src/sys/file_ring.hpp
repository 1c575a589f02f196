// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requests to file systems that the kernel carries out while nobody waits: io_uring
// (docs/design/files.md).
//
// Thread safety: submit() and cancel() by one thread at a time; take() by one thread at a time, which may be
// another one.

#include "sys/file_request.hpp"

#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct io_uring;

namespace weft::sys {

/// The kernel's answer to one request.
struct RingAnswer {
  std::uint64_t name;
  long raw;  ///< as call() returns it
};

class FileRing {
 public:
  /// The name of requests whose answer nobody wants.
  static constexpr std::uint64_t kNobody = 0;

  /// Fails where there is no io_uring that can do this: an older kernel, a sandbox, a build without liburing
  /// (ENOSYS).
  static Result<FileRing> create() noexcept;
  /// Whether a ring could be made, asked once.
  static bool available() noexcept;
  /// Whether there is an opcode for it.
  static bool takes(FileRequest::Kind kind) noexcept;

  FileRing(FileRing&&) noexcept;
  FileRing& operator=(FileRing&&) noexcept;
  ~FileRing();

  /// Becomes readable when there are answers.
  int fd() const noexcept;

  /// Hands over. `request.buffers`, paths and `status` must stay until the answer. False: the kernel did not
  /// take it, there will be no answer. REQUIRES: takes(request.kind).
  bool submit(const FileRequest& request, std::uint64_t name) noexcept;
  /// Asks that the request ends early; it is answered in any case.
  void cancel(std::uint64_t name) noexcept;
  /// The same for all.
  void cancel_all() noexcept;

  /// Takes answers that are there, as many as fit; how many. Makes a system call only if the kernel says that
  /// it holds more.
  std::size_t take(std::span<RingAnswer> answers) noexcept;
  /// Blocks the thread until there is an answer, or for some milliseconds.
  void wait() noexcept;

 private:
  struct Close {
    void operator()(io_uring* ring) const noexcept;
  };

  explicit FileRing(std::unique_ptr<io_uring, Close> ring) noexcept;
  bool enter() noexcept;

  std::unique_ptr<io_uring, Close> ring_;
};

}  // namespace weft::sys
