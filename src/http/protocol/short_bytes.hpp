// SPDX-License-Identifier: Apache-2.0
#pragma once

// Copies, comparisons and keys of the few bytes that paths, hosts and header lines are: in words, the last of
// which overlaps the one before; inline, as calling memcpy costs more than such a copy. No byte outside is
// touched.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weft::http::protocol {

template <class Word>
inline Word load_word(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

template <std::size_t N>
inline void copy_exactly(char* to, const char* from) noexcept {
  std::memcpy(to, from, N);
}

/// Up to N bytes, at least N/2 of them.
template <std::size_t N>
inline void copy_ends(char* to, std::string_view text) noexcept {
  constexpr std::size_t kHalf = N / 2;
  char last[kHalf];
  copy_exactly<kHalf>(last, text.data() + text.size() - kHalf);
  copy_exactly<kHalf>(to, text.data());
  copy_exactly<kHalf>(to + text.size() - kHalf, last);
}

/// Returns the end of the copy. The two do not overlap; a null view is nothing.
[[gnu::always_inline]] inline char* copy_short(char* to, std::string_view text) noexcept {
  const std::size_t size = text.size();
  if (size >= 32) {
    if (size <= 64) {
      copy_ends<64>(to, text);
    } else {
      std::memcpy(to, text.data(), size);
    }
  } else if (size >= 16) {
    copy_ends<32>(to, text);
  } else if (size >= 8) {
    copy_ends<16>(to, text);
  } else if (size >= 4) {
    copy_ends<8>(to, text);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = text[i];
  }
  return to + size;
}

/// The bytes of a text of at most 8, as a number; different texts of one size give different numbers.
inline std::uint64_t word_of(const char* at, std::size_t size) noexcept {
  if (size >= 4) {
    return std::uint64_t{load_word<std::uint32_t>(at)} << 32 | load_word<std::uint32_t>(at + size - 4);
  }
  if (size <= 1) return size == 0 ? 0 : static_cast<unsigned char>(*at);
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(at[i]));
  };
  return byte(0) << 16 | byte(size / 2) << 8 | byte(size - 1);
}

inline bool equal_short(const char* a, const char* b, std::size_t size) noexcept {
  if (size < 8) return word_of(a, size) == word_of(b, size);
  std::uint64_t difference = load_word<std::uint64_t>(a + size - 8) ^ load_word<std::uint64_t>(b + size - 8);
  for (std::size_t i = 0; i + 8 < size; i += 8) {
    difference |= load_word<std::uint64_t>(a + i) ^ load_word<std::uint64_t>(b + i);
  }
  return difference == 0;
}

#ifdef __SSE2__
/// True if the bytes of the two are the same, from each of the places on.
template <class... Places>
inline bool equal_at(const char* a, const char* b, Places... places) noexcept {
  const auto same = [&](std::size_t at) {
    return _mm_cmpeq_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + at)),
                          _mm_loadu_si128(reinterpret_cast<const __m128i*>(b + at)));
  };
  __m128i equal = _mm_set1_epi8(-1);
  ((equal = _mm_and_si128(equal, same(static_cast<std::size_t>(places)))), ...);
  return _mm_movemask_epi8(equal) == 0xffff;
}
#endif

/// The same for longer texts. From the end, where those that begin alike differ most; 64 bytes at once, so
/// that the time it takes does not tell how many of them are the same.
inline bool equal_bytes(const char* a, const char* b, std::size_t size) noexcept {
  std::size_t left = size;
#ifdef __SSE2__
  for (; left >= 64; left -= 64) {
    if (!equal_at(a + left - 64, b + left - 64, 0, 16, 32, 48)) return false;
  }
  if (left >= 32) return equal_at(a, b, 0, 16, left - 32, left - 16);
  if (left >= 16) return equal_at(a, b, 0, left - 16);
#endif
  return equal_short(a, b, left);
}

/// What a table looks a text up by: cheap, not proof against chosen keys.
struct ShortKey {
  std::size_t hash;
  std::uint64_t tail;  ///< the last bytes, at most 8: of a text that is no longer, all of it
};

inline ShortKey key_of(std::string_view text) noexcept {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio
  std::uint64_t hash = text.size();
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left > 8; left -= 8, at += 8) {
    hash = (hash ^ load_word<std::uint64_t>(at)) * kMultiplier;
    hash ^= hash >> 32;
  }
  const std::uint64_t tail = word_of(at, left);
  return {static_cast<std::size_t>((hash ^ tail) * kMultiplier >> 32), tail};
}

}  // namespace weft::http::protocol
