// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds the end of a run of characters: sixteen bytes at a time where the processor has SSE2, else one by
// one. The table of characters.hpp decides in both cases; sixteen bytes at a time only pass over what is
// surely within the run.

#include "http/protocol/characters.hpp"

#include <bit>
#include <cstddef>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace weft::http::protocol {

/// So many bytes in front of the end of what is scanned must be readable.
inline constexpr std::ptrdiff_t kScanWidth = 16;

#ifdef __SSE2__
namespace sse2 {

inline __m128i equal(__m128i bytes, char c) noexcept { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); }

/// The bytes from `first` to `last`, which may be above 127.
inline __m128i within(__m128i bytes, unsigned first, unsigned last) noexcept {
  const __m128i shifted = _mm_sub_epi8(bytes, _mm_set1_epi8(static_cast<char>(first + 128)));
  return _mm_cmplt_epi8(shifted, _mm_set1_epi8(static_cast<char>(last - first + 1 - 128)));
}

inline __m128i any(__m128i a, __m128i b) noexcept { return _mm_or_si128(a, b); }

/// A flag for each byte that may be outside of a run of that class.
template <CharacterClass kClass>
__m128i suspects(__m128i bytes) noexcept;

template <>
inline __m128i suspects<kTokenCharacter>(
    __m128i bytes) noexcept {  // of a token passes what names are made of
  const __m128i letters = within(any(bytes, _mm_set1_epi8(0x20)), 'a', 'z');
  return equal(any(letters, equal(bytes, '-')), 0);
}

template <>
inline __m128i suspects<kValueCharacter>(__m128i bytes) noexcept {
  return any(within(bytes, 0, 0x1f), equal(bytes, 0x7f));
}

template <>
inline __m128i suspects<kQueryCharacter>(__m128i bytes) noexcept {
  // Above 127 is below 0.
  return any(any(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x21)), equal(bytes, 0x7f)), equal(bytes, '#'));
}

template <>
inline __m128i suspects<kPathCharacter>(__m128i bytes) noexcept {
  return any(any(suspects<kQueryCharacter>(bytes), equal(bytes, '?')), equal(bytes, '%'));
}

}  // namespace sse2
#endif

/// The first byte of [at, end) that may not have the class; `end` if all have it.
template <CharacterClass kClass>
[[gnu::always_inline]] inline const char* next_suspect(const char* at, const char* end) noexcept {
#ifdef __SSE2__
  const auto suspects_at = [](const char* from) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return static_cast<unsigned>(_mm_movemask_epi8(sse2::suspects<kClass>(bytes)));
  };
  for (; end - at >= kScanWidth; at += kScanWidth) {
    if (const unsigned found = suspects_at(at)) return at + std::countr_zero(found);
  }
  // The last ones with some before them that are known.
  const unsigned found = suspects_at(end - kScanWidth) >> (kScanWidth - (end - at));
  return found != 0 ? at + std::countr_zero(found) : end;
#else
  while (at != end && is(kClass, *at)) ++at;
  return at;
#endif
}

/// The first byte of [at, end) that has not the class; `end` if all have it.
/// REQUIRES: kScanWidth bytes in front of `end` may be read.
template <CharacterClass kClass>
[[gnu::always_inline]] inline const char* end_of_run(const char* at, const char* end) noexcept {
  for (;; ++at) {
    at = next_suspect<kClass>(at, end);
    if (at == end || !is(kClass, *at)) return at;
  }
}

}  // namespace weft::http::protocol
