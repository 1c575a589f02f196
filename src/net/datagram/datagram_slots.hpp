// SPDX-License-Identifier: Apache-2.0
#pragma once

// The memory of batches: for each datagram what recvmmsg and sendmmsg want, made once and used again
// (docs/design/datagrams.md).

#include "net/datagram/datagram_message.hpp"

#include <memory>
#include <netinet/in.h>
#include <span>
#include <sys/socket.h>
#include <sys/uio.h>
#include <vector>

namespace weft::net::detail {

/// Slots [0, count) hold what was received; only these need to be made ready for the next call.
struct ReceiveSlots {
  ReceiveSlots(std::size_t capacity, std::size_t datagram_size);

  /// All slots as the kernel wants them, and none holds a datagram.
  std::span<mmsghdr> make_ready() noexcept;

  std::size_t datagram_size;
  std::size_t count = 0;
  std::vector<mmsghdr> messages;
  std::vector<iovec> pieces;
  std::vector<sockaddr_in6> names;
  std::vector<ReceiveControl> controls;
  std::unique_ptr<std::byte[]> bytes;
};

/// Slots [first, last) wait to be sent.
struct SendSlots {
  explicit SendSlots(std::size_t capacity);

  std::size_t capacity() const noexcept { return messages.size(); }
  std::span<mmsghdr> unsent() noexcept { return std::span(messages).subspan(first, last - first); }
  void drop(std::size_t count) noexcept;

  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t segmented = 0;  ///< added with a segment size since the batch was empty
  std::vector<mmsghdr> messages;
  std::vector<iovec> pieces;
  std::vector<sockaddr_in6> names;
  std::vector<SendControl> controls;
};

}  // namespace weft::net::detail
