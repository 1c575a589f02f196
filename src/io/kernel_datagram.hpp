// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/network.hpp"
#include "sys/fd.hpp"

namespace weft::io {

/// A datagram socket of the kernel's, bound and named as the parameters say. On an error no file of a Unix
/// address is left behind.
Result<sys::Fd> create_datagram_socket(const DatagramParameters& parameters) noexcept;

}  // namespace weft::io
