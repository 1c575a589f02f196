// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstddef>
#include <utility>

namespace weft::sys {

#if defined(__x86_64__)
constexpr std::size_t page_size() noexcept { return 4096; }  // there is no other
#else
std::size_t page_size() noexcept;
#endif

/// An anonymous private mapping. Not thread-safe; the functions on ranges below are.
class Mapping {
 public:
  /// Address space, readable and writable, whose pages come on first touch; without swap reservation
  /// (MAP_NORESERVE). ENOMEM when `vm.max_map_count` or the address space is used up.
  static Result<Mapping> reserve(std::size_t size) noexcept;

  Mapping() noexcept = default;
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  Mapping(std::byte* data, std::size_t size) noexcept : data_(data), size_(size) {}
  void unmap() noexcept;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Ranges below are whole pages of a mapping.

/// Gives the pages back at once; they read as zero afterwards (MADV_DONTNEED).
Result<void> discard(std::byte* data, std::size_t size) noexcept;
/// Gives back the pages of the calling stack that lie below the one in use, from `low` on, a page's begin.
/// They read as zero when calls go there again.
Result<void> discard_below_this_frame(std::byte* low) noexcept;
/// No transparent huge pages: a parked stack shall hold what it touched.
Result<void> disable_huge_pages(std::byte* data, std::size_t size) noexcept;

/// Whether a page of the range is in memory: one that was never touched is not. (One that was swapped out may
/// not be, either.) At most 32 pages.
Result<bool> any_resident(std::byte* data, std::size_t size) noexcept;
/// How many mappings a process may have (`vm.max_map_count`).
Result<std::size_t> mapping_count_max();

/// Any access kills the program, without splitting the mapping (MADV_GUARD_INSTALL, Linux 6.13). Discards the
/// pages. EINVAL on older kernels and in locked mappings (`mlockall(MCL_FUTURE)`).
Result<void> install_guard(std::byte* data, std::size_t size) noexcept;
Result<void> remove_guard(std::byte* data, std::size_t size) noexcept;
/// The same by page protection: splits the mapping, so it counts twice against `vm.max_map_count`.
Result<void> protect(std::byte* data, std::size_t size) noexcept;
Result<void> unprotect(std::byte* data, std::size_t size) noexcept;

/// Whether `install_guard` works here and now, by its effect (qemu-user says yes and guards nothing): the
/// kernel must refuse to read a guarded page, and read its neighbours. Costs about ten syscalls; not cached.
bool probe_guards() noexcept;

}  // namespace weft::sys
