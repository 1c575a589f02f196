// SPDX-License-Identifier: Apache-2.0
#include <weft/io/file_descriptor.hpp>

#include "sys/fd.hpp"

namespace weft::io {

void FileDescriptor::reset() noexcept {
  if (fd_ >= 0) sys::close(release());
}

}  // namespace weft::io
