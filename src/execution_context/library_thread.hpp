// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace weft {

/// What a thread of the library that is no scheduler has while it runs: its name, and the mark that it wakes
/// no fiber of its own accord (docs/design/deadlock.md). On the thread itself.
class LibraryThread {
 public:
  explicit LibraryThread(std::string_view name) noexcept;
  ~LibraryThread();
  LibraryThread(const LibraryThread&) = delete;
  LibraryThread& operator=(const LibraryThread&) = delete;

  /// Whether the thread with this id of the kernel is such a one. Any thread.
  static bool is_one(int thread_id) noexcept;

  /// In a child of fork(): none of them is there.
  static void forget_all() noexcept;

 private:
  const int thread_id_;
};

}  // namespace weft
