# SPDX-License-Identifier: Apache-2.0
# weft_llhttp: llhttp from its C sources (Debian: node-llhttp), in strict mode, a part of the weft library.
# The defaults of llhttp 8.1 let request smuggling through; -DLLHTTP_STRICT_MODE=1 is the parser's half of the
# cure, src/http has the other. Without api.c: src/http/protocol/llhttp_events.cpp takes its place.

find_path(WEFT_LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include PATH_SUFFIXES llhttp REQUIRED)
find_path(WEFT_LLHTTP_SOURCE llhttp.c PATHS /usr/share PATH_SUFFIXES llhttp REQUIRED)

add_library(weft_llhttp OBJECT
  "${WEFT_LLHTTP_SOURCE}/llhttp.c" "${WEFT_LLHTTP_SOURCE}/http.c")
set_target_properties(weft_llhttp PROPERTIES UNITY_BUILD OFF)
target_include_directories(weft_llhttp PRIVATE "${WEFT_LLHTTP_INCLUDE}")
target_compile_definitions(weft_llhttp PRIVATE LLHTTP_STRICT_MODE=1)
target_compile_options(weft_llhttp PRIVATE -O2 -include "${PROJECT_SOURCE_DIR}/src/http/protocol/llhttp_names.h")
# A state machine of a thousand small states: in the order of its source it takes fewer jumps (74 for 83 in wrk's
# request, in 60 cache lines for 69) than in the order that gcc guesses.
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  target_compile_options(weft_llhttp PRIVATE -freorder-blocks-algorithm=simple)
endif()
target_link_libraries(weft_llhttp PRIVATE weft_codegen)

# Whatever includes src/http/protocol sees llhttp.h; its objects come with the library.
target_include_directories(weft_internal SYSTEM INTERFACE "${WEFT_LLHTTP_INCLUDE}")
target_compile_definitions(weft_internal INTERFACE LLHTTP_STRICT_MODE=1)
