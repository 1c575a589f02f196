// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/net/datagram.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace weft::detail {
struct ReceiveSlots;
struct SendSlots;
}  // namespace weft::detail

namespace weft::net {

/// Room for several received datagrams, for UdpSocket::receive_batch(). Allocates when it is made, and never
/// again.
///
///     net::ReceiveBatch batch(32, 1500);
///     while (socket.receive_batch(batch))
///       for (std::size_t i = 0; i < batch.size(); ++i) handle(batch.bytes(i), batch.info(i).from);
///
/// Thread safety: none; it must stay alive and unused by others during a call that gets it.
class ReceiveBatch {
 public:
  /// Room for `capacity` datagrams, 1 to 1024, of at most `datagram_size` bytes each; both are moved into
  /// their range. A datagram that is greater is truncated, and says so.
  ReceiveBatch(std::size_t capacity, std::size_t datagram_size);
  ReceiveBatch(ReceiveBatch&&) noexcept;
  ReceiveBatch& operator=(ReceiveBatch&&) noexcept;
  ~ReceiveBatch();

  std::size_t capacity() const noexcept;
  /// The number of datagrams that the last call received.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }

  /// The bytes of a datagram. They stay valid until the batch is used again. May be changed.
  /// REQUIRES: `index < size()`.
  std::span<std::byte> bytes(std::size_t index) const noexcept;
  /// The sender alone, which is cheaper than info().
  SocketAddress from(std::size_t index) const noexcept;
  ReceivedDatagram info(std::size_t index) const noexcept;

 private:
  friend class SendBatch;
  friend class UdpSocket;
  std::unique_ptr<weft::detail::ReceiveSlots> slots_;
};

/// Several datagrams to be sent, for UdpSocket::send_batch(). It refers to their bytes, which must stay alive
/// and unchanged until they are sent. Allocates when it is made, and never again.
///
/// Neighbours in the batch that have the same receiver and size, at most 1,452 bytes, and no options of their
/// own, pass through the kernel as one message and are cut up there or in the network card, if the kernel can
/// do it (GSO). The receiver sees no difference. They fail together: such an error is that of the first of
/// them, and none of them was sent.
///
/// Thread safety: none; it must stay alive and unused by others during a call that gets it.
class SendBatch {
 public:
  /// Room for `capacity` datagrams, 1 to 1024; a number outside is moved into the range.
  explicit SendBatch(std::size_t capacity);
  SendBatch(SendBatch&&) noexcept;
  SendBatch& operator=(SendBatch&&) noexcept;
  ~SendBatch();

  std::size_t capacity() const noexcept;
  /// The number of datagrams that are not sent yet.
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  bool full() const noexcept;

  /// Appends a datagram. False: the batch is full, and nothing was added. The room of datagrams that were
  /// sent is free again when the batch is empty.
  bool add(ConstBuffer data, const SocketAddress& to, const DatagramSendOptions& options = {});
  /// The same for a connected socket.
  bool add(ConstBuffer data, const DatagramSendOptions& options = {});
  /// The datagram that `batch` received, back to its sender: what an echo does. No address is converted.
  bool add_reply(const ReceiveBatch& batch, std::size_t index, ConstBuffer data);

  /// Drops the first datagram that is not sent: the one that send_batch() has failed with.
  void drop_first() noexcept;
  void clear() noexcept;

 private:
  friend class UdpSocket;
  std::unique_ptr<weft::detail::SendSlots> slots_;
};

}  // namespace weft::net
