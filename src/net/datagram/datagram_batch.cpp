// SPDX-License-Identifier: Apache-2.0
#include <weft/net/datagram_batch.hpp>

#include "base/panic.hpp"
#include "net/datagram/datagram_slots.hpp"
#include "net/sockaddr.hpp"
#include "sys/iovec.hpp"

#include <algorithm>

namespace weft {
namespace net {
namespace {

constexpr std::size_t kCapacityMax = 1024;  // of one system call
constexpr std::size_t kDatagramSizeMax = 65'535;

std::size_t bounded_capacity(std::size_t capacity) noexcept {
  return std::clamp<std::size_t>(capacity, 1, kCapacityMax);
}

/// The next slot, for a datagram of `data`; its name and control data are left to the caller.
msghdr& append_slot(detail::SendSlots& slots, ConstBuffer data) noexcept {
  const std::size_t index = slots.last++;
  slots.pieces[index] = sys::to_iovec(std::span<const std::byte>(data));
  msghdr& message = slots.messages[index].msg_hdr;
  message.msg_name = nullptr;
  message.msg_namelen = 0;
  message.msg_control = nullptr;
  message.msg_controllen = 0;
  return message;
}

}  // namespace

}  // namespace net

namespace detail {

ReceiveSlots::ReceiveSlots(std::size_t capacity, std::size_t size)
    : datagram_size(std::clamp<std::size_t>(size, 1, net::kDatagramSizeMax)),
      count(net::bounded_capacity(capacity)),
      messages(count),
      pieces(count),
      names(count),
      controls(count),
      bytes(std::make_unique_for_overwrite<std::byte[]>(count * datagram_size)) {
  for (std::size_t i = 0; i < count; ++i) {
    pieces[i] = {bytes.get() + i * datagram_size, datagram_size};
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_name = &names[i];
    messages[i].msg_hdr.msg_control = controls[i].bytes.data();
  }
  make_ready();
}

std::span<mmsghdr> ReceiveSlots::make_ready() noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    messages[i].msg_hdr.msg_namelen = sizeof(sockaddr_in6);
    messages[i].msg_hdr.msg_controllen = net::kReceiveControlSize;
  }
  count = 0;
  return messages;
}

SendSlots::SendSlots(std::size_t capacity)
    : messages(net::bounded_capacity(capacity)),
      pieces(messages.size()),
      names(messages.size()),
      controls(messages.size()),
      merged(messages.size()),
      merged_sizes(messages.size()) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
}

void SendSlots::drop(std::size_t count) noexcept {
  first += count;
  if (first == last) first = last = segmented = 0;
}

}  // namespace detail

namespace net {

ReceiveBatch::ReceiveBatch(std::size_t capacity, std::size_t datagram_size)
    : slots_(std::make_unique<detail::ReceiveSlots>(capacity, datagram_size)) {}
ReceiveBatch::ReceiveBatch(ReceiveBatch&&) noexcept = default;
ReceiveBatch& ReceiveBatch::operator=(ReceiveBatch&&) noexcept = default;
ReceiveBatch::~ReceiveBatch() = default;

std::size_t ReceiveBatch::capacity() const noexcept {
  return slots_ == nullptr ? 0 : slots_->messages.size();
}

std::size_t ReceiveBatch::size() const noexcept { return slots_ == nullptr ? 0 : slots_->count; }

std::span<std::byte> ReceiveBatch::bytes(std::size_t index) const noexcept {
  WEFT_ASSERT(index < size(), "a datagram behind the last one of a batch", WEFT_VALUE(index));
  const std::size_t full_size = slots_->messages[index].msg_len;
  return {slots_->bytes.get() + index * slots_->datagram_size, std::min(full_size, slots_->datagram_size)};
}

SocketAddress ReceiveBatch::from(std::size_t index) const noexcept {
  WEFT_ASSERT(index < size(), "a datagram behind the last one of a batch", WEFT_VALUE(index));
  return read_sockaddr(slots_->names[index], slots_->messages[index].msg_hdr.msg_namelen);
}

ReceivedDatagram ReceiveBatch::info(std::size_t index) const noexcept {
  WEFT_ASSERT(index < size(), "a datagram behind the last one of a batch", WEFT_VALUE(index));
  const mmsghdr& message = slots_->messages[index];
  ReceivedDatagram received = read_received(message.msg_hdr, message.msg_len, slots_->datagram_size);
  received.from = from(index);
  return received;
}

SendBatch::SendBatch(std::size_t capacity) : slots_(std::make_unique<detail::SendSlots>(capacity)) {}
SendBatch::SendBatch(SendBatch&&) noexcept = default;
SendBatch& SendBatch::operator=(SendBatch&&) noexcept = default;
SendBatch::~SendBatch() = default;

std::size_t SendBatch::capacity() const noexcept { return slots_ == nullptr ? 0 : slots_->capacity(); }
std::size_t SendBatch::size() const noexcept { return slots_ == nullptr ? 0 : slots_->last - slots_->first; }
bool SendBatch::full() const noexcept { return slots_ == nullptr || slots_->last == slots_->capacity(); }

bool SendBatch::add(ConstBuffer data, const SocketAddress& to, const DatagramSendOptions& options) {
  if (full()) return false;
  const std::size_t index = slots_->last;
  msghdr& message = append_slot(*slots_, data);
  message.msg_name = &slots_->names[index];
  message.msg_namelen = write_sockaddr(to, slots_->names[index]);
  add_send_control(options, &to.ip(), slots_->controls[index], message);
  slots_->segmented += options.segment_size != 0 ? 1 : 0;
  return true;
}

bool SendBatch::add(ConstBuffer data, const DatagramSendOptions& options) {
  if (full()) return false;
  const std::size_t index = slots_->last;
  add_send_control(options, nullptr, slots_->controls[index], append_slot(*slots_, data));
  slots_->segmented += options.segment_size != 0 ? 1 : 0;
  return true;
}

bool SendBatch::add_reply(const ReceiveBatch& batch, std::size_t index, ConstBuffer data) {
  WEFT_ASSERT(index < batch.size(), "a datagram behind the last one of a batch", WEFT_VALUE(index));
  if (full()) return false;
  sockaddr_in6& name = slots_->names[slots_->last];
  name = batch.slots_->names[index];
  msghdr& message = append_slot(*slots_, data);
  message.msg_name = &name;
  message.msg_namelen = batch.slots_->messages[index].msg_hdr.msg_namelen;
  return true;
}

void SendBatch::drop_first() noexcept {
  if (!empty()) slots_->drop(1);
}

void SendBatch::clear() noexcept {
  if (slots_ != nullptr) slots_->drop(size());
}

}  // namespace net
}  // namespace weft
