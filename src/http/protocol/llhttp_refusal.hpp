// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/refusal.hpp"

#include <llhttp.h>

namespace weft::http::protocol {

/// The answer to a request that llhttp stopped at.
Refusal refusal_of(const llhttp_t& llhttp) noexcept;

}  // namespace weft::http::protocol
