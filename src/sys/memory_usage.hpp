// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <cstddef>
#include <string_view>

namespace weft::sys {

/// The memory that this process holds now (statm's resident).
Result<std::size_t> resident_bytes();
/// The memory of its page tables (VmPTE), which `resident_bytes` leaves out.
Result<std::size_t> page_table_bytes();
/// A field of /proc/self/status given in kB, such as "VmPTE". Errc::unsupported if there is none.
Result<std::size_t> parse_status_kb(std::string_view status, std::string_view field);

}  // namespace weft::sys
