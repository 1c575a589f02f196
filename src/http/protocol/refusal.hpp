// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/http/status.hpp>

namespace weft::http::protocol {

/// Why a request is not served: the status to answer with (the connection then closes), and a sentence for
/// logs and tests. A refusal without a reason is none.
struct Refusal {
  Status status = Status::ok;
  const char* reason = nullptr;

  explicit operator bool() const noexcept { return reason != nullptr; }
};

inline constexpr Refusal kAccepted{};

constexpr Refusal bad_request(const char* reason) noexcept { return {Status::bad_request, reason}; }

}  // namespace weft::http::protocol
