// SPDX-License-Identifier: Apache-2.0
// Neighbours in a SendBatch that go the same way are one message to the kernel (docs/design/datagrams.md).
#include "net/datagram/datagram_slots.hpp"
#include "sys/errors.hpp"

#include <cstring>
#include <netinet/udp.h>

namespace weft {
namespace net {
namespace {

constexpr std::size_t kSegmentsMax = 64;         // of one message (UDP_MAX_SEGMENTS)
constexpr std::size_t kMessageSizeMax = 65'000;  // of the segments together, without headers
/// What fits the usual networks: a greater one would be refused there, as it had to be fragmented.
constexpr std::size_t kSegmentSizeMax = 1'452;

bool same_way(const msghdr& a, const msghdr& b) noexcept {
  return a.msg_namelen == b.msg_namelen &&
         (a.msg_namelen == 0 || std::memcmp(a.msg_name, b.msg_name, a.msg_namelen) == 0);
}

}  // namespace

}  // namespace net

namespace detail {

// All segments have the size of the first one, but the last, which may be smaller.
std::size_t SendSlots::mergeable_from(std::size_t index) const noexcept {
  const msghdr& first_message = messages[index].msg_hdr;
  const std::size_t size = pieces[index].iov_len;
  if (size == 0 || size > net::kSegmentSizeMax || first_message.msg_controllen != 0) return 1;
  std::size_t total = size;
  std::size_t count = 1;
  for (std::size_t next = index + 1; next < last && count < net::kSegmentsMax; ++next, ++count) {
    const std::size_t next_size = pieces[next].iov_len;
    const bool smaller_before = pieces[next - 1].iov_len < size;
    if (smaller_before || next_size == 0 || next_size > size || total + next_size > net::kMessageSizeMax)
      break;
    if (messages[next].msg_hdr.msg_controllen != 0 || !net::same_way(first_message, messages[next].msg_hdr))
      break;
    total += next_size;
  }
  return count;
}

std::span<mmsghdr> SendSlots::merge() noexcept {
  std::size_t count = 0;
  for (std::size_t index = first; index < last; ++count) {
    merged_sizes[count] = mergeable_from(index);
    merged[count] = messages[index];
    if (merged_sizes[count] > 1) {
      msghdr& message = merged[count].msg_hdr;
      message.msg_iovlen = merged_sizes[count];  // the pieces lie one behind the other
      sys::ControlWriter control(controls[index].bytes);
      control.add(IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(pieces[index].iov_len));
      control.give_to(message);
    }
    index += merged_sizes[count];
  }
  return std::span(merged).first(count);
}

std::size_t SendSlots::datagrams_of(std::size_t sent) const noexcept {
  if (merging != Merging::kOn) return sent;
  std::size_t datagrams = 0;
  for (std::size_t i = 0; i < sent; ++i) datagrams += merged_sizes[i];
  return datagrams;
}

bool SendSlots::stop_merging_after(const std::error_code& error) noexcept {
  if (merging != Merging::kOn || merged_sizes[0] == 1) return false;
  const bool may_be_of_merging = sys::is_errno(error, EINVAL) || sys::is_errno(error, EIO) ||
                                 sys::is_errno(error, EMSGSIZE) || sys::is_errno(error, EOPNOTSUPP);
  if (may_be_of_merging) merging = Merging::kOff;
  return may_be_of_merging;
}

}  // namespace detail

}  // namespace weft
