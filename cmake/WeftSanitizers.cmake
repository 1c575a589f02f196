# SPDX-License-Identifier: Apache-2.0
# Code generation that every translation unit shares, llhttp included: frame pointers (backtraces over fibers
# walk them), large frames, link-time optimization, sanitizers, coverage.

add_library(weft_codegen INTERFACE)
target_compile_options(weft_codegen INTERFACE -fno-omit-frame-pointer -fno-plt)

# A frame larger than the guard below a fiber's stack steps over it and writes to another fiber's. So a
# frame of more than a page is touched page by page; smaller ones are compiled as before. Users of weft::weft
# get the option as well (WeftTargets.cmake): their frames are the ones that are large.
set(WEFT_STACK_CLASH_PROTECTION)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(gcc_or_clang $<OR:$<COMPILE_LANG_AND_ID:CXX,GNU,Clang>,$<COMPILE_LANG_AND_ID:C,GNU,Clang>>)
  set(WEFT_STACK_CLASH_PROTECTION $<${gcc_or_clang}:-fstack-clash-protection>)
endif()
target_compile_options(weft_codegen INTERFACE ${WEFT_STACK_CLASH_PROTECTION})

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
