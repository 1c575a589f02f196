// SPDX-License-Identifier: Apache-2.0
#include "fiber/describe.hpp"

#include "fiber/fiber.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weft {

FiberDescription::FiberDescription(Fiber& fiber, FiberNumber number) noexcept {
  const bool named = !fiber.name().empty();
  if (!named || number == FiberNumber::kAlways) {
    add("#");
    add_number(fiber.id);
    add(" ");
  }
  if (named) {
    add("\"");
    add(fiber.name());
    add("\" ");
  }
  add("(");
  add_number(fiber.slot().slab->stack_size() / 1024);
  add(" KiB stack, spawned at ");
  add(fiber.spawned_at.file);
  add(":");
  add_number(static_cast<std::uint64_t>(fiber.spawned_at.line));
  add(")");
}

void FiberDescription::add(std::string_view text) noexcept {
  const std::size_t size = std::min(text.size(), text_.size() - size_);
  std::memcpy(text_.data() + size_, text.data(), size);
  size_ += size;
}

void FiberDescription::add_number(std::uint64_t number) noexcept {
  const auto result = std::to_chars(text_.data() + size_, text_.data() + text_.size(), number);
  size_ = static_cast<std::size_t>(result.ptr - text_.data());
}

}  // namespace weft
