// SPDX-License-Identifier: Apache-2.0
#pragma once

// llhttp, under names of our own.

#include "http/protocol/llhttp_names.h"

#include <llhttp.h>
