// SPDX-License-Identifier: Apache-2.0
#include "http/server/staged_close.hpp"

#include "base/clock.hpp"
#include "http/server/block.hpp"

#include <algorithm>

namespace weft::http::server {
namespace {

/// A client that is silent for so long does not answer the end of what is sent to it.
constexpr std::int64_t kSilenceNs = 2'000'000'000;
/// Enough for a body that nobody wants to reach its end; a client that sends more costs only itself.
constexpr std::uint64_t kSizeMax = std::uint64_t{64} * 1024 * 1024;

}  // namespace

void end_sending_and_listen(net::Stream& stream, std::span<std::byte> scratch,
                            std::int64_t timeout_ns) noexcept {
  if (timeout_ns == 0 || !stream.shutdown(net::ShutdownMode::kWrite)) return;
  const Deadline end = deadline_in(coarse_now_ns(), timeout_ns);
  for (std::uint64_t size = 0; size < kSizeMax && !end.passed();) {
    const Deadline silence = deadline_in(coarse_now_ns(), kSilenceNs);
    const Result<std::size_t> n = stream.read_some_until(scratch, std::min(silence, end));
    if (!n) return;
    size += *n;
  }
}

}  // namespace weft::http::server
