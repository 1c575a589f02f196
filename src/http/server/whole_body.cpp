// SPDX-License-Identifier: Apache-2.0
#include "http/server/whole_body.hpp"

#include "base/panic.hpp"

#include <algorithm>
#include <utility>

namespace weft::http::server {
namespace {

// std::string would double its memory whatever it is asked for.
void grow(std::string& text, std::size_t size) {
  std::string larger;
  larger.reserve(size);
  larger = text;
  larger.resize(size);
  text = std::move(larger);
}

}  // namespace

std::span<std::byte> WholeBody::room() {
  WEFT_ASSERT(size_ < size_max_, "a whole body beyond its limit", WEFT_VALUE(size_));
  if (size_ == text_.size()) {
    const std::uint64_t step = std::min<std::uint64_t>(std::max(kStep, size_), size_max_ - size_);
    grow(text_, size_ + static_cast<std::size_t>(step));
  }
  return std::as_writable_bytes(std::span(text_).subspan(size_));
}

void WholeBody::received(std::size_t size) noexcept {
  WEFT_ASSERT(size <= text_.size() - size_, "a whole body without room", WEFT_VALUE(size));
  size_ += size;
}

std::string WholeBody::take() {
  text_.resize(size_);
  return std::move(text_);
}

}  // namespace weft::http::server
