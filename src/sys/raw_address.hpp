// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <sys/socket.h>

namespace weft::sys {

/// A socket address as the kernel sees it: a `sockaddr` of any family and its size.
class RawAddress {
 public:
  RawAddress() noexcept { storage_.ss_family = AF_UNSPEC; }
  /// Copies a concrete address such as a `sockaddr_in`.
  template <class Address>
  explicit RawAddress(const Address& address) noexcept : size_(sizeof(Address)) {
    static_assert(sizeof(Address) <= sizeof(sockaddr_storage));
    std::memcpy(&storage_, &address, sizeof(Address));
  }
  /// The first `size` bytes of one: a Unix address ends with its name.
  template <class Address>
  RawAddress(const Address& address, socklen_t size) noexcept : RawAddress(address) {
    size_ = size;
  }

  int family() const noexcept { return storage_.ss_family; }
  /// The address as a concrete type; the caller has looked at `family()`.
  template <class Address>
  Address as() const noexcept {
    static_assert(sizeof(Address) <= sizeof(sockaddr_storage));
    Address address;
    std::memcpy(&address, &storage_, sizeof(Address));
    return address;
  }

  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage_); }
  socklen_t size() const noexcept { return size_; }
  /// Where a syscall writes the size; give it the capacity first.
  socklen_t* size_for_fill() noexcept {
    size_ = sizeof(storage_);
    return &size_;
  }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace weft::sys
