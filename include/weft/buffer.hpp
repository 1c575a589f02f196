// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace weft {

namespace detail {

template <class T>
concept ByteLike = std::is_same_v<std::remove_cv_t<T>, std::byte> || std::is_same_v < std::remove_cv_t<T>,
char > || std::is_same_v<std::remove_cv_t<T>, unsigned char> ||
    std::is_same_v<std::remove_cv_t<T>, signed char> || std::is_same_v<std::remove_cv_t<T>, char8_t>;

/// A container, array or view of bytes, one after the other.
template <class R>
concept ByteRange = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    ByteLike<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

/// Bytes that may be written to. A temporary container is excluded: its bytes would end with it.
template <class R>
concept WritableByteRange = ByteRange<R> && std::ranges::borrowed_range<R> &&
    !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

/// A string literal, or other text in an array.
template <class B>
concept CharArray = std::is_array_v<B> && std::is_same_v < std::remove_cv_t<std::remove_extent_t<B>>,
char > ;

template <class B>
concept ByteSource = ByteRange<const B&> || std::is_convertible_v<const B&, std::string_view> ||
    std::is_convertible_v<const B&, std::span<const std::byte>>;

}  // namespace detail

/// The bytes that a read fills. Converts implicitly from `std::byte buffer[4096]`, a `char` array, and a
/// std::array, std::vector, std::string or std::span of `std::byte`, `char` or `unsigned char`. A container
/// is filled up to its size(); it does not grow.
///
/// A view, like std::span: the bytes must outlive its use. Pass it by value.
///
///     char buffer[4096];
///     auto n = stream.read_some(buffer);
class MutableBuffer {
 public:
  constexpr MutableBuffer() noexcept = default;
  template <class R>
  requires(detail::WritableByteRange<R> && !std::is_same_v<std::remove_cvref_t<R>, MutableBuffer>)
      MutableBuffer(R&& bytes)
  noexcept  // NOLINT(google-explicit-constructor, bugprone-forwarding-reference-*)
      : data_(reinterpret_cast<std::byte*>(std::ranges::data(bytes))), size_(std::ranges::size(bytes)) {}
  template <detail::ByteLike T>
  requires(!std::is_const_v<T>) MutableBuffer(T* data, std::size_t size)
  noexcept : data_(reinterpret_cast<std::byte*>(data)), size_(size) {}

  constexpr std::byte* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  /// The first `size` bytes. REQUIRES: `size <= size()`.
  MutableBuffer first(std::size_t size) const noexcept { return {data_, size}; }
  constexpr operator std::span<std::byte>() const noexcept { return {data_, size_}; }  // NOLINT

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The bytes that a write sends. Converts implicitly from everything that MutableBuffer converts from, const
/// objects and temporaries included, and from text: a string literal, a std::string_view, a `const char*`. A
/// `char` array is text: it ends at its first NUL, or with the array. For bytes that may be NUL use a
/// std::array, a span, or `unsigned char`.
///
/// A view, like std::span: the bytes must outlive its use. Pass it by value.
///
///     stream.write_all("HELO example.org\r\n");
///     stream.write_all(std::span(frame).first(8));
class ConstBuffer {
 public:
  constexpr ConstBuffer() noexcept = default;
  constexpr ConstBuffer(MutableBuffer buffer) noexcept  // NOLINT(google-explicit-constructor)
      : data_(buffer.data()), size_(buffer.size()) {}
  template <detail::ByteSource B>
  requires(!std::is_same_v<B, ConstBuffer> && !std::is_same_v<B, MutableBuffer>) ConstBuffer(const B& bytes)
  noexcept {  // NOLINT(google-explicit-constructor)
    if constexpr (detail::CharArray<B>) {
      const void* const end = std::memchr(bytes, '\0', std::extent_v<B>);
      const char* const text_end = end == nullptr ? bytes + std::extent_v<B> : static_cast<const char*>(end);
      set(bytes, text_end - bytes);
    } else if constexpr (detail::ByteRange<const B&>) {
      set(std::ranges::data(bytes), std::ranges::size(bytes));
    } else if constexpr (std::is_convertible_v<const B&, std::string_view>) {
      const std::string_view text = bytes;
      set(text.data(), text.size());
    } else {
      const std::span<const std::byte> span = bytes;
      set(span.data(), span.size());
    }
  }
  template <detail::ByteLike T>
  ConstBuffer(const T* data, std::size_t size) noexcept
      : data_(reinterpret_cast<const std::byte*>(data)), size_(size) {}

  constexpr const std::byte* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  /// The first `size` bytes. REQUIRES: `size <= size()`.
  ConstBuffer first(std::size_t size) const noexcept { return {data_, size}; }
  constexpr operator std::span<const std::byte>() const noexcept { return {data_, size_}; }  // NOLINT

 private:
  template <class T, class Size>
  void set(const T* data, Size size) noexcept {
    data_ = reinterpret_cast<const std::byte*>(data);
    size_ = static_cast<std::size_t>(size);
  }

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace weft
