// SPDX-License-Identifier: Apache-2.0
#pragma once

// Descriptors as a C library has them: weft knows nothing of them.

#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace stranger {

using weft::io::Interest;
using weft::io::Ready;

inline constexpr Interest kEither = Interest::kReadable | Interest::kWritable;
inline constexpr Ready kReadable{.readable = true};
inline constexpr Ready kWritable{.writable = true};
inline constexpr Ready kBoth{.readable = true, .writable = true};

/// Two sockets of a pair, which are closed at the end.
struct Ends {
  explicit Ends(int flags = 0) { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | flags, 0, fds), 0); }
  ~Ends() {
    close_ours();
    close_theirs();
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;

  int ours() const { return fds[0]; }
  int theirs() const { return fds[1]; }
  void close_ours() { close(fds[0]); }
  void close_theirs() { close(fds[1]); }

  void send(std::string_view text) const {
    EXPECT_EQ(::send(fds[1], text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  std::string receive(std::size_t size) const {
    std::string text(size, '\0');
    const ssize_t got = ::recv(fds[0], text.data(), size, MSG_DONTWAIT);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  /// Until the kernel takes no more from our end.
  void fill() const {
    const std::string piece(65'536, 'x');
    while (::send(fds[0], piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {}
  }
  void drain_at_peer() const {
    std::string piece(65'536, 'x');
    while (::recv(fds[1], piece.data(), piece.size(), MSG_DONTWAIT) > 0) {}
  }

  int fds[2] = {-1, -1};

 private:
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

}  // namespace stranger
