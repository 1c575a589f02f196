// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/head_facts.hpp"
#include "http/protocol/short_bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::http::protocol {

/// The header lines that were accepted last, with the table of what they hold: a client's next request often
/// differs in its target alone, and equal bytes need no second look (law H7).
///
/// The table is the parser's, and points into its buffer: whoever writes to it otherwise says forget() first.
/// Thread safety: none.
class LineMemory {
 public:
  /// Longer ones are not remembered.
  static constexpr std::size_t kSizeMax = 1024;

  /// True if what begins at `lines` are the same lines, up to and with the empty one. `table` is then theirs.
  bool repeat(const char* lines, const char* end, Header* table) noexcept {
    if (size_ == 0 || static_cast<std::size_t>(end - lines) < size_) return false;
    if (!equal_bytes(lines, text_.data(), size_)) return false;
    if (lines != lines_) move(lines, table);
    return true;
  }

  /// `lines`, with the empty one, were accepted: `count` headers, of which `facts` say what governs the
  /// message.
  void remember(std::string_view lines, const HeadFacts& facts, std::size_t count) noexcept {
    if (lines.size() > kSizeMax) return;
    copy_short(text_.data(), lines);
    size_ = lines.size();
    lines_ = lines.data();
    count_ = count;
    facts_ = facts;
  }

  void forget() noexcept { size_ = 0; }

  // Of the lines that are remembered, where they came last.
  std::size_t size() const noexcept { return size_; }
  std::size_t count() const noexcept { return count_; }
  const HeadFacts& facts() const noexcept { return facts_; }

 private:
  [[gnu::noinline]] void move(const char* lines, Header* table) noexcept;

  std::size_t size_ = 0;  // with the empty line; 0: there are none
  const char* lines_ = nullptr;
  std::size_t count_ = 0;
  HeadFacts facts_;
  std::array<char, kSizeMax> text_;
};

}  // namespace weft::http::protocol
