// SPDX-License-Identifier: Apache-2.0
#pragma once

// switch_context() of the architecture that is compiled for.

#if defined(__x86_64__)
#include "fiber/context/x86_64.hpp"
#else
#error "weft has no context switch for this architecture yet: src/fiber/context/README.md"
#endif
