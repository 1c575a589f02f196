// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// Serves what `data` says with an http::Server in a simulated world, and panics where an invariant breaks:
///
/// - what handlers get, in requests and in bodies, is what the protocol half reads from the same bytes
///   (protocol::replay()), and, where the input is a plan of requests, what was encoded;
/// - each whole request is answered in its turn, with what its handler said, unless an earlier response
/// closed
///   the connection; a handler's mistake is a 500, or a response that does not look whole;
/// - everything that the server sends is a sequence of responses;
/// - the connection ends, and so does the server.
///
/// The first eight bytes choose cuts, limits, the world, what handlers do, and how the client behaves; the
/// ninth whether the rest is a plan or the bytes themselves.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
