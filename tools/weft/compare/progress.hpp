// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <string>

namespace weft::tool::compare {

/// Says on standard error what is being done.
inline void progress(const std::string& text) { std::fprintf(stderr, "... %s\n", text.c_str()); }

}  // namespace weft::tool::compare
