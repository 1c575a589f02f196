// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace weft {

/// `function + 0x12 (program + 0x3456)`, with the names that the dynamic linker knows; the second half is
/// what addr2line wants. Any thread.
std::string describe_address(void* address);

}  // namespace weft
