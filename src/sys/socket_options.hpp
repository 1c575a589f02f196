// SPDX-License-Identifier: Apache-2.0
#pragma once

// The options of sockets, with types and units. Any thread; none suspends.

#include <weft/result.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <sys/socket.h>

namespace weft::sys {

Result<int> get_option(int fd, int level, int name) noexcept;
/// SO_PEERCRED of a Unix socket.
Result<ucred> peer_credentials(int fd) noexcept;
Result<void> set_option(int fd, int level, int name, int value) noexcept;
/// One that is no number.
Result<void> set_option(int fd, int level, int name, std::span<const std::byte> value) noexcept;

Result<void> set_reuse_address(int fd, bool on) noexcept;
Result<void> set_reuse_port(int fd, bool on) noexcept;
Result<void> set_v6_only(int fd, bool on) noexcept;

Result<void> set_no_delay(int fd, bool on) noexcept;
Result<bool> no_delay(int fd) noexcept;
Result<void> set_quick_ack(int fd, bool on) noexcept;

/// When and how often a silent peer is asked whether it still lives. Whole seconds, from 1 to 32767.
struct KeepAlive {
  std::chrono::seconds idle{60};
  std::chrono::seconds interval{10};
  int probes = 6;
};
/// None switches it off.
Result<void> set_keep_alive(int fd, const std::optional<KeepAlive>& keep_alive) noexcept;
Result<std::optional<KeepAlive>> keep_alive(int fd) noexcept;

/// None: close() returns at once and the kernel sends what is queued. Zero: close() resets the connection.
Result<void> set_linger(int fd, std::optional<std::chrono::seconds> timeout) noexcept;
Result<std::optional<std::chrono::seconds>> linger(int fd) noexcept;

/// The kernel doubles the size asked for, and the getters tell the doubled one.
Result<void> set_send_buffer_size(int fd, int size) noexcept;
Result<void> set_receive_buffer_size(int fd, int size) noexcept;
Result<int> send_buffer_size(int fd) noexcept;
Result<int> receive_buffer_size(int fd) noexcept;

/// How long sent data may stay unacknowledged before the connection is dropped; zero is the system's default.
Result<void> set_user_timeout(int fd, std::chrono::milliseconds timeout) noexcept;
Result<std::chrono::milliseconds> user_timeout(int fd) noexcept;
/// A listener reports a connection only when data has come, or after about `timeout`; zero switches it off.
Result<void> set_defer_accept(int fd, std::chrono::seconds timeout) noexcept;

}  // namespace weft::sys
