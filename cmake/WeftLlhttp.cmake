# SPDX-License-Identifier: Apache-2.0
# weft_llhttp: llhttp from its C sources (Debian: node-llhttp), in strict mode, compiled into the weft library.
# The defaults of llhttp 8.1 let request smuggling through; -DLLHTTP_STRICT_MODE=1 is the half of the cure that
# the parser has, src/http the other half.

find_path(WEFT_LLHTTP_INCLUDE llhttp.h PATH_SUFFIXES llhttp PATHS /usr/share/include REQUIRED)
find_path(WEFT_LLHTTP_SOURCE llhttp.c PATH_SUFFIXES llhttp PATHS /usr/share REQUIRED)

add_library(weft_llhttp OBJECT
  ${WEFT_LLHTTP_SOURCE}/llhttp.c ${WEFT_LLHTTP_SOURCE}/http.c ${WEFT_LLHTTP_SOURCE}/api.c)
target_include_directories(weft_llhttp SYSTEM PUBLIC ${WEFT_LLHTTP_INCLUDE})
target_compile_definitions(weft_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
target_compile_options(weft_llhttp PRIVATE -O3)
target_link_libraries(weft_llhttp PRIVATE weft_codegen)
