// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A part of a hot path, in one piece with it wherever it is used.
#define WEFT_HOT [[gnu::always_inline]] inline
