// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the snippets of the guide use (tools/guide_snippets.py).

#include <weft/weft.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>
#include <gtest/gtest.h>

using namespace std::chrono_literals;

/// What a snippet claims.
#define check(...) EXPECT_TRUE((__VA_ARGS__))

/// What belongs to the reader's program.
[[maybe_unused]] inline void serve() {}
[[maybe_unused]] inline void log_warning(const std::string&) {}
