// SPDX-License-Identifier: Apache-2.0
#include "sys/socket_filter.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <array>
#include <cstdint>
#include <linux/filter.h>
#include <sys/socket.h>

namespace weft::sys {
namespace {

constexpr std::uint32_t kFlagsOffset = 13;  // of the TCP header, where the filter's view begins
constexpr std::uint32_t kSyn = 0x02;
constexpr std::uint32_t kAck = 0x10;
constexpr std::uint32_t kWhole = 0xffffffff;

// A SYN without ACK asks for a connection.
std::array<sock_filter, 5> without_syn() noexcept {
  return {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsOffset),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn | kAck),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, kWhole),
  }};
}

}  // namespace

[[gnu::noinline]] Result<void> drop_new_connections(int fd) noexcept {
  std::array<sock_filter, 5> code = without_syn();
  const sock_fprog program{.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  return void_result(attempt(Call::set_option, fd, [&](std::size_t) {
    return raw_answer(::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)));
  }));
}

}  // namespace weft::sys
