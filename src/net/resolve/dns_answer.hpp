// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/resolve/name_question.hpp"

struct ares_addrinfo;

// What c-ares says, in our words.

namespace weft::net {

NameAnswer answer_of(const ares_addrinfo& found);
/// REQUIRES: not ARES_SUCCESS.
std::error_code error_of_ares(int status) noexcept;
int family_of(AddressFamily family) noexcept;

}  // namespace weft::net
