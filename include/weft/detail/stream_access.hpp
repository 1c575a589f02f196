// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/descriptor_handle.hpp>
#include <weft/detail/file_source.hpp>
#include <weft/result.hpp>

#include <type_traits>

namespace weft::io {
class Reader;
class Writer;
}  // namespace weft::io

namespace weft::detail {

/// The library's own way to the descriptors of its streams and listeners. No promises about this header.
struct StreamAccess {
  /// A stream, listener or pipe end that owns `handle` from now on.
  template <class Owner>
  static Owner make(DescriptorHandle handle) noexcept {
    return Owner(handle);
  }
  /// The descriptor of a stream, a listener or the end of a pipe.
  template <class Owner>
  static DescriptorHandle handle(const Owner& owner) noexcept {
    return owner.descriptor();
  }
  /// The descriptor that says when `source`, a reader of any type, a listener or a datagram socket, can be
  /// read.
  template <class Source>
  static DescriptorHandle reading(const Source& source) noexcept {
    if constexpr (std::is_base_of_v<io::Reader, Source>) {
      return handle<io::Reader>(source);
    } else {
      return handle(source);
    }
  }
  /// The same for writing, of a writer of any type, a datagram socket or a registration.
  template <class Sink>
  static DescriptorHandle writing(const Sink& sink) noexcept {
    if constexpr (std::is_base_of_v<io::Writer, Sink>) {
      return handle<io::Writer>(sink);
    } else {
      return handle(sink);
    }
  }
  /// The file that a reader of any type reads; null if it reads none.
  template <class Source>
  static FileSource* file(Source& source) noexcept {
    return source.file_source();
  }
};

/// Ends the receiving side of a stream that its owner may have closed or destroyed; then Errc::closed. Does
/// not suspend.
Result<void> end_reading(DescriptorHandle handle);

}  // namespace weft::detail
