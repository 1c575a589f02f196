// SPDX-License-Identifier: Apache-2.0
#pragma once

// llhttp, under names of our own (cmake/WeftLlhttp.cmake).

#include <llhttp_names.h>
// Not before the names.
#include <llhttp.h>
