// SPDX-License-Identifier: Apache-2.0
// The texts of the last failures. A slot's number is that of its text; kBusy while one is written, and then
// nobody else writes there: that failure has no text. Readers look at the number before and after.
#include <weft/detail/failure.hpp>

#include "base/atomic.hpp"
#include "base/panic.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace weft::detail {
namespace {

constexpr std::uint32_t kBusy = ~std::uint32_t{0};
constexpr std::size_t kSlots = 64;
constexpr std::size_t kWords = 19;  // "connecting to" the longest path of a Unix socket

using Words = std::array<std::uint64_t, kWords>;

struct Slot {
  Atomic<std::uint32_t> number{0};
  std::array<Atomic<std::uint64_t>, kWords> words{};
};

constinit std::array<Slot, kSlots> slots;
constinit Atomic<std::uint32_t> last_number{0};

/// 0 and kBusy are no numbers: after 2^32 failures they are left out.
std::uint32_t next_number() noexcept {
  const std::uint32_t number = last_number.fetch_add(1, relaxed) + 1;
  return number == 0 || number == kBusy ? 1 : number;
}

/// Ends with a 0, and so at the end of the words at the latest.
Words packed(std::string_view doing, std::string_view what) noexcept {
  char text[sizeof(Words)] = {};
  const std::size_t first = std::min(doing.size(), sizeof(text) - 2);
  std::copy_n(doing.data(), first, text);
  text[first] = ' ';
  const std::size_t second = std::min(what.size(), sizeof(text) - 1 - (first + 1));
  std::copy_n(what.data(), second, text + first + 1);  // a view of nothing may be null
  for (char& letter : text) {
    if ((letter > 0 && letter < ' ') || letter == 0x7f) letter = '?';
  }
  Words words;
  std::memcpy(words.data(), text, sizeof(text));
  return words;
}

std::string text_of(std::uint32_t number) {
  Slot& slot = slots[number % kSlots];
  if (number == 0 || slot.number.load(acquire) != number) return {};
  Words words;
  // Acquire: the second look at the number comes after that.
  for (std::size_t i = 0; i < kWords; ++i) words[i] = slot.words[i].load(acquire);
  if (slot.number.load(relaxed) != number) return {};
  char text[sizeof(words)];
  std::memcpy(text, words.data(), sizeof(text));
  return {text, ::strnlen(text, sizeof(text))};
}

}  // namespace

Failure failure_about(std::error_code error, std::string_view doing, std::string_view what) noexcept {
  const std::uint32_t number = next_number();
  Slot& slot = slots[number % kSlots];
  std::uint32_t old = slot.number.load(relaxed);
  // Acquire: the words are written after that. Release: before the number.
  if (old == kBusy || !slot.number.compare_exchange_strong(old, kBusy, acquire)) return {error, 0};
  const Words words = packed(doing, what);
  for (std::size_t i = 0; i < kWords; ++i) slot.words[i].store(words[i], release);
  slot.number.store(number, release);
  return {error, number};
}

std::string message_of(const Failure& failure) {
  std::string text = text_of(failure.text);
  if (!text.empty()) text += ": ";
  return text + failure.error.message();
}

void throw_failure(const Failure& failure) {
  const std::string text = text_of(failure.text);
  if (text.empty()) throw std::system_error(failure.error);
  throw std::system_error(failure.error, text);
}

void no_error() noexcept { WEFT_PANIC("a result is made from the failure() of one that holds a value"); }

void end_by_failure(const Failure& failure) noexcept {
  WEFT_PANIC(("value() of an error: " + message_of(failure)).c_str());
}

}  // namespace weft::detail
