// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

namespace weft::test {

/// The function of a branch of a select that must not be taken.
inline constexpr auto kNever = [](auto&&...) { ADD_FAILURE() << "a branch that was not ready was taken"; };

}  // namespace weft::test
