// SPDX-License-Identifier: Apache-2.0
#pragma once

// The hot syscalls as raw calls: the kernel's answer, a negated errno on failure, no `errno`.
//
// On x86-64 they issue the instruction themselves. glibc's wrappers of these are cancellation points: once a
// process has a second thread each call enables and disables cancellation atomically, and weft never uses
// pthread_cancel. Measured over a socket pair with two threads (bench_syscalls, and callgrind for the
// counts): a send and a recv of 64 bytes take 90 user-mode instructions through sys and 155 through the
// wrappers; a recv that finds nothing takes 4 % less CPU. Elsewhere, and under sanitizers (which learn of
// buffers and of happens-before through the wrappers), the wrappers are used.

#include "base/sanitizers.hpp"

#include <cerrno>
#include <cstddef>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace weft::sys {

#if defined(__x86_64__) && defined(__LP64__) && !WEFT_ASAN && !WEFT_TSAN && \
    !WEFT_HAS_FEATURE(memory_sanitizer)
inline constexpr bool kDirectSyscalls = true;

/// For the wrapper of a direct syscall, which may be inlined: no `errno`, whose address would be a thread's.
#define WEFT_HOT_SYSCALL

[[gnu::always_inline]] inline long direct_syscall(long number, long a, long b, long c, long d = 0, long e = 0,
                                                  long f = 0) noexcept {
  long raw = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(raw)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return raw;
}
#else
inline constexpr bool kDirectSyscalls = false;

#define WEFT_HOT_SYSCALL [[gnu::noinline]]

inline long direct_syscall(long, long, long, long, long = 0, long = 0, long = 0) noexcept { return -ENOSYS; }
#endif

/// The raw answer of a libc call that has just returned `value`.
inline long raw_answer(long value) noexcept { return value >= 0 ? value : -errno; }

inline long address_of(const void* pointer) noexcept { return reinterpret_cast<long>(pointer); }

inline long raw_recv(int fd, void* data, std::size_t size, int flags) noexcept {
  if constexpr (kDirectSyscalls)
    return direct_syscall(SYS_recvfrom, fd, address_of(data), static_cast<long>(size), flags);
  return raw_answer(::recv(fd, data, size, flags));
}

inline long raw_send(int fd, const void* data, std::size_t size, int flags) noexcept {
  if constexpr (kDirectSyscalls)
    return direct_syscall(SYS_sendto, fd, address_of(data), static_cast<long>(size), flags);
  return raw_answer(::send(fd, data, size, flags));
}

inline long raw_recvfrom(int fd, void* data, std::size_t size, int flags, sockaddr* name,
                         socklen_t* name_size) noexcept {
  if constexpr (kDirectSyscalls)
    return direct_syscall(SYS_recvfrom, fd, address_of(data), static_cast<long>(size), flags,
                          address_of(name), address_of(name_size));
  return raw_answer(::recvfrom(fd, data, size, flags, name, name_size));
}

inline long raw_sendto(int fd, const void* data, std::size_t size, int flags, const sockaddr* name,
                       socklen_t name_size) noexcept {
  if constexpr (kDirectSyscalls)
    return direct_syscall(SYS_sendto, fd, address_of(data), static_cast<long>(size), flags, address_of(name),
                          name_size);
  return raw_answer(::sendto(fd, data, size, flags, name, name_size));
}

inline long raw_recvmsg(int fd, msghdr* message, int flags) noexcept {
  if constexpr (kDirectSyscalls) return direct_syscall(SYS_recvmsg, fd, address_of(message), flags);
  return raw_answer(::recvmsg(fd, message, flags));
}

inline long raw_sendmsg(int fd, const msghdr* message, int flags) noexcept {
  if constexpr (kDirectSyscalls) return direct_syscall(SYS_sendmsg, fd, address_of(message), flags);
  return raw_answer(::sendmsg(fd, message, flags));
}

inline long raw_recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags) noexcept {
  if constexpr (kDirectSyscalls) return direct_syscall(SYS_recvmmsg, fd, address_of(messages), count, flags);
  return raw_answer(::recvmmsg(fd, messages, count, flags, nullptr));
}

inline long raw_sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) noexcept {
  if constexpr (kDirectSyscalls) return direct_syscall(SYS_sendmmsg, fd, address_of(messages), count, flags);
  return raw_answer(::sendmmsg(fd, messages, count, flags));
}

inline long raw_read(int fd, void* data, std::size_t size) noexcept {
  if constexpr (kDirectSyscalls)
    return direct_syscall(SYS_read, fd, address_of(data), static_cast<long>(size));
  return raw_answer(::read(fd, data, size));
}

inline long raw_write(int fd, const void* data, std::size_t size) noexcept {
  if constexpr (kDirectSyscalls)
    return direct_syscall(SYS_write, fd, address_of(data), static_cast<long>(size));
  return raw_answer(::write(fd, data, size));
}

}  // namespace weft::sys
