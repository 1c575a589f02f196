// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// Plays `data` through the HTTP request reader, whole and in pieces, and panics where an invariant breaks:
///
/// - the outcome does not depend on where the bytes are cut, nor on how much of a body is pulled at once;
/// - every view of an accepted request lies in the buffer, and nothing beyond what was received is looked at;
/// - an accepted request of HTTP/1.1 has one Host, and no request has two, or two framings of its body;
/// - bodies and heads stay within the limits;
/// - an HTTP/1.1 request that was accepted still is when it is written out again canonically.
///
/// The first three bytes choose the cuts and the limits.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
