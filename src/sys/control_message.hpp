// SPDX-License-Identifier: Apache-2.0
#pragma once

// What goes with a message beside its bytes (cmsg(3)): addresses, marks, files. Not thread-safe.

#include <cstddef>
#include <cstring>
#include <span>
#include <sys/socket.h>

namespace weft::sys {

/// The room that one value of `size` bytes takes.
constexpr std::size_t control_size(std::size_t size) noexcept { return CMSG_SPACE(size); }

/// Puts values into the control data of a message that is going to be sent, or that a simulation receives.
/// REQUIRES: the room is aligned as a cmsghdr.
class ControlWriter {
 public:
  explicit ControlWriter(std::span<std::byte> room) noexcept : room_(room) {}

  /// False: there is no room, and nothing was added.
  template <class Value>
  bool add(int level, int type, const Value& value) noexcept {
    return add_bytes(level, type, std::as_bytes(std::span(&value, 1)));
  }
  bool add_bytes(int level, int type, std::span<const std::byte> value) noexcept {
    if (control_size(value.size()) > room_.size() - size_) return false;
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(value.size());
    std::memset(room_.data() + size_, 0, control_size(value.size()));
    std::memcpy(room_.data() + size_, &header, sizeof(header));
    std::memcpy(room_.data() + size_ + CMSG_LEN(0), value.data(), value.size());
    size_ += control_size(value.size());
    return true;
  }

  std::size_t size() const noexcept { return size_; }
  /// The message has what was added.
  void give_to(msghdr& message) const noexcept {
    message.msg_control = size_ == 0 ? nullptr : room_.data();
    message.msg_controllen = size_;
  }

 private:
  std::span<std::byte> room_;
  std::size_t size_ = 0;
};

/// `f(level, type, bytes of the value)` for each value that came with the message.
template <class F>
void for_each_control(const msghdr& message, F&& f) {
  auto& changeable = const_cast<msghdr&>(message);  // the macros want it; they only read
  for (cmsghdr* each = CMSG_FIRSTHDR(&changeable); each != nullptr; each = CMSG_NXTHDR(&changeable, each)) {
    const auto* const end = static_cast<const std::byte*>(message.msg_control) + message.msg_controllen;
    const auto room = static_cast<std::size_t>(end - reinterpret_cast<const std::byte*>(each));
    if (each->cmsg_len < CMSG_LEN(0) || each->cmsg_len > room) return;
    f(each->cmsg_level, each->cmsg_type,
      std::span(reinterpret_cast<const std::byte*>(CMSG_DATA(each)), each->cmsg_len - CMSG_LEN(0)));
  }
}

/// The first bytes of a value as a type; zero where there are too few.
template <class Value>
Value control_value(std::span<const std::byte> bytes) noexcept {
  Value value{};
  std::memcpy(&value, bytes.data(), bytes.size() < sizeof(Value) ? bytes.size() : sizeof(Value));
  return value;
}

}  // namespace weft::sys
