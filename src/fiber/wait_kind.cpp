// SPDX-License-Identifier: Apache-2.0
#include "fiber/wait_kind.hpp"

#include "base/atomic.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weft {
namespace {

constinit std::array<Atomic<WaitDescriber>, kWaitKinds> describers{};

}  // namespace

void WaitDescription::add(std::string_view text) noexcept {
  const std::size_t size = std::min(text.size(), text_.size() - size_);
  std::memcpy(text_.data() + size_, text.data(), size);
  size_ += size;
}

void WaitDescription::add_number(std::uint64_t number) noexcept {
  char digits[20];
  const char* const end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  add({digits, static_cast<std::size_t>(end - digits)});
}

void WaitDescription::add_address(const void* address) noexcept {
  char digits[16];
  const char* const end =
      std::to_chars(digits, digits + sizeof(digits), reinterpret_cast<std::uintptr_t>(address), 16).ptr;
  add("0x");
  add({digits, static_cast<std::size_t>(end - digits)});
}

bool set_wait_describer(WaitKind kind, WaitDescriber describer) noexcept {
  describers[static_cast<std::size_t>(kind)].store(describer, release);
  return true;
}

void describe_wait(WaitingFor what, WaitDescription& description) noexcept {
  const auto kind = static_cast<std::size_t>(what.kind);
  const WaitDescriber describer = kind < kWaitKinds ? describers[kind].load(acquire) : nullptr;
  if (describer != nullptr) return describer(what.object, description);
  description.add("something");
  description.external = true;
}

}  // namespace weft
