# SPDX-License-Identifier: Apache-2.0
# Code generation that every translation unit shares, llhttp included: frame pointers (backtraces over fibers
# walk them), link-time optimization, sanitizers, coverage.

add_library(weft_codegen INTERFACE)
target_compile_options(weft_codegen INTERFACE -fno-omit-frame-pointer -fno-plt)
if(WEFT_FAT_OBJECTS)
  target_compile_options(weft_codegen INTERFACE -ffat-lto-objects)
endif()

if(WEFT_SANITIZE)
  target_compile_options(weft_codegen INTERFACE -fsanitize=${WEFT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(weft_codegen INTERFACE -fsanitize=${WEFT_SANITIZE})
endif()
if(WEFT_COVERAGE)
  target_compile_options(weft_codegen INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(weft_codegen INTERFACE --coverage)
endif()
if(WEFT_BUILD_FUZZ)
  target_compile_options(weft_codegen INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(weft_codegen INTERFACE -fsanitize=fuzzer-no-link)
endif()
