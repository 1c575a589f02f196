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
#include <system_error>
#include <vector>

namespace weft::detail {

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
  std::vector<net::ReceiveControl> controls;
  std::unique_ptr<std::byte[]> bytes;
};

/// Slots [first, last) wait to be sent.
struct SendSlots {
  explicit SendSlots(std::size_t capacity);

  std::size_t capacity() const noexcept { return messages.size(); }
  std::span<mmsghdr> unsent() noexcept { return std::span(messages).subspan(first, last - first); }
  void drop(std::size_t count) noexcept;

  // -- neighbours that go the same way as one message (send_merging.cpp)
  enum class Merging : std::uint8_t { kUnknown, kOn, kOff };
  /// How many datagrams from `index` on make one message.
  std::size_t mergeable_from(std::size_t index) const noexcept;
  /// What is unsent, in as few messages as possible.
  std::span<mmsghdr> merge() noexcept;
  /// How many datagrams are in the first `sent` messages of the last call.
  std::size_t datagrams_of(std::size_t sent) const noexcept;
  /// True: the first message may have failed because it was merged. From now on none is.
  bool stop_merging_after(const std::error_code& error) noexcept;

  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t segmented = 0;  ///< added with a segment size since the batch was empty
  std::vector<mmsghdr> messages;
  std::vector<iovec> pieces;
  std::vector<sockaddr_in6> names;
  std::vector<net::SendControl> controls;
  Merging merging = Merging::kUnknown;
  std::vector<mmsghdr> merged;
  std::vector<std::size_t> merged_sizes;
};

}  // namespace weft::detail
