// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of tests/stranger share. They see of weft the public headers only.

#include <weft/run.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <span>

namespace stranger {

/// Runs `body` as the main fiber of a program, on each of `threads` threads.
inline void in_fiber(const std::function<void()>& body, std::uint32_t threads = 1) {
  EXPECT_EQ(weft::run({.parallelism = threads}, [&] { body(); }), 0);
}

}  // namespace stranger
