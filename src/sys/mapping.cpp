// SPDX-License-Identifier: Apache-2.0
#include "sys/mapping.hpp"

#include "base/panic.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/io.hpp"
#include "sys/pipe.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>

namespace weft::sys {
namespace {

// Not in the headers of Debian 12; the kernel's <asm-generic/mman-common.h> since 6.13.
constexpr int kGuardInstall = 102;
constexpr int kGuardRemove = 103;

[[gnu::noinline]] Result<void> advise(std::byte* data, std::size_t size, int advice) noexcept {
  return void_result(retry(Call::madvise, -1, [&](std::size_t size_max) {
    return raw_answer(::madvise(data, std::min(size, size_max), advice));
  }));
}

[[gnu::noinline]] Result<void> set_protection(std::byte* data, std::size_t size, int protection) noexcept {
  return void_result(attempt(Call::mprotect, -1,
                             [&](std::size_t) { return raw_answer(::mprotect(data, size, protection)); }));
}

/// Whether the kernel can read the byte at `data`: it is offered to a pipe.
bool kernel_can_read(const Pipe& pipe, const std::byte* data) noexcept {
  const Result<std::size_t> written = write(pipe.write_end.get(), {data, 1});
  WEFT_ASSERT(written || is_errno(written.error(), EFAULT), "cannot probe by writing to a pipe",
              WEFT_VALUE(written.error().value()));
  return written.has_value();
}

/// `pages` are three, the middle one guarded.
bool only_the_middle_is_guarded(const Pipe& pipe, const std::byte* pages, std::size_t page) noexcept {
  return kernel_can_read(pipe, pages + page - 1) && !kernel_can_read(pipe, pages + page) &&
         !kernel_can_read(pipe, pages + 2 * page - 1) && kernel_can_read(pipe, pages + 2 * page);
}

}  // namespace

#if !defined(__x86_64__)
std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}
#endif

[[gnu::noinline]] Result<Mapping> Mapping::reserve(std::size_t size) noexcept {
  if (const Fault fault = intercept(Call::mmap); fault.error != 0) return error_of(fault.error);
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, kFlags, -1, 0);
  if (data == MAP_FAILED) return error_of(errno);
  return Mapping(static_cast<std::byte*>(data), size);
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

Mapping::~Mapping() { unmap(); }

[[gnu::noinline]] void Mapping::unmap() noexcept {
  if (data_ == nullptr) return;
  const Fault fault = intercept(Call::munmap);
  const int error = fault.error != 0 ? fault.error : ::munmap(data_, size_) == 0 ? 0 : errno;
  if (error == 0) [[likely]]
    return;
  // The kernel joins neighbours into one mapping, and may not split it where max_map_count is reached. The
  // addresses are lost then, the memory is not.
  WEFT_ASSERT(error == ENOMEM, "munmap failed", WEFT_VALUE(error), WEFT_VALUE(data_), WEFT_VALUE(size_));
  static_cast<void>(discard(data_, size_));
}

Result<void> discard(std::byte* data, std::size_t size) noexcept { return advise(data, size, MADV_DONTNEED); }

// No call from here on: its frame would lie where the pages go.
#if defined(__x86_64__)
[[gnu::noinline]] Result<void> discard_below_this_frame(std::byte* low) noexcept {
  constexpr std::uintptr_t kRedZone = 128;
  if (const Fault fault = intercept(Call::madvise); fault.error != 0) return error_of(fault.error);
  std::uintptr_t stack_pointer;
  asm volatile("movq %%rsp, %0" : "=r"(stack_pointer));
  const std::uintptr_t end = (stack_pointer - kRedZone) & ~(page_size() - 1);
  const auto begin = reinterpret_cast<std::uintptr_t>(low);
  if (end <= begin) return {};
  long answer = SYS_madvise;
  register long advice asm("rdx") = MADV_DONTNEED;
  asm volatile("syscall"
               : "+a"(answer)
               : "D"(begin), "S"(end - begin), "r"(advice)
               : "rcx", "r11", "memory", "cc");
  return void_result(answer);
}
#else
[[gnu::noinline]] Result<void> discard_below_this_frame(std::byte* low) noexcept {
  constexpr std::uintptr_t kFramesOfDiscard = 4096;
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const std::uintptr_t end = (here - kFramesOfDiscard) & ~(page_size() - 1);
  const auto begin = reinterpret_cast<std::uintptr_t>(low);
  return end <= begin ? Result<void>() : discard(low, end - begin);
}
#endif

Result<bool> any_resident(std::byte* data, std::size_t size) noexcept {
  std::array<unsigned char, 32> states{};
  WEFT_ASSERT(size <= states.size() * page_size(), "too many pages", WEFT_VALUE(size));
  const Result<void> asked = void_result(attempt(
      Call::mincore, -1, [&](std::size_t) { return raw_answer(::mincore(data, size, states.data())); }));
  if (!asked) return asked.error();
  return std::any_of(states.begin(), states.end(), [](unsigned char state) { return (state & 1) != 0; });
}

Result<std::size_t> mapping_count_max() {
  const Result<std::string> text = read_text_file("/proc/sys/vm/max_map_count");
  if (!text) return text.error();
  std::size_t count = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), count);
  if (parsed.ec != std::errc{}) return Errc::unsupported;
  return count;
}

Result<void> disable_huge_pages(std::byte* data, std::size_t size) noexcept {
  return advise(data, size, MADV_NOHUGEPAGE);
}

Result<void> install_guard(std::byte* data, std::size_t size) noexcept {
  return advise(data, size, kGuardInstall);
}

Result<void> remove_guard(std::byte* data, std::size_t size) noexcept {
  return advise(data, size, kGuardRemove);
}

Result<void> protect(std::byte* data, std::size_t size) noexcept {
  return set_protection(data, size, PROT_NONE);
}

Result<void> unprotect(std::byte* data, std::size_t size) noexcept {
  return set_protection(data, size, PROT_READ | PROT_WRITE);
}

bool probe_guards() noexcept {
  const std::size_t page = page_size();
  const Result<Mapping> pages = Mapping::reserve(3 * page);
  const Result<Pipe> pipe = create_pipe();
  if (!pages || !pipe) return false;
  std::byte* const guard = pages->data() + page;
  if (!install_guard(guard, page)) return false;
  if (!only_the_middle_is_guarded(*pipe, pages->data(), page)) return false;
  return remove_guard(guard, page) && kernel_can_read(*pipe, guard);
}

}  // namespace weft::sys
