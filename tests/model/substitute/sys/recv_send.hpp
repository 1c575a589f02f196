// SPDX-License-Identifier: Apache-2.0
#pragma once

// In place of src/sys/recv_send.hpp: out of line, by the model's kernel (runtime/kernel.cpp).

#include <weft/result.hpp>

#include <cstddef>
#include <span>

namespace weft::sys {

Result<std::size_t> recv(int fd, std::span<std::byte> buffer, int flags = 0) noexcept;
Result<std::size_t> send(int fd, std::span<const std::byte> data, int flags = 0) noexcept;

}  // namespace weft::sys
