// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/llhttp.hpp"
#include "http/protocol/refusal.hpp"

namespace weft::http::protocol {

/// The answer to a request that llhttp stopped at.
Refusal refusal_of(const llhttp_t& llhttp) noexcept;

}  // namespace weft::http::protocol
