# SPDX-License-Identifier: Apache-2.0
# libbacktrace, which gcc installs beside its own libraries (Debian: libgcc-12-dev, with g++): names and lines
# in reports of fibers, inlined calls included. clang links it too, as it looks in gcc's directories. Where it
# is missing, reports have the names that the dynamic linker knows.
include(CheckCXXSourceCompiles)

file(GLOB backtrace_headers /usr/lib/gcc/*/*/include/backtrace.h)
if(backtrace_headers)
  # Alone: clang must not see gcc's other headers, which are beside it.
  list(SORT backtrace_headers COMPARE NATURAL)
  list(GET backtrace_headers -1 header)
  configure_file("${header}" "${PROJECT_BINARY_DIR}/backtrace/backtrace.h" COPYONLY)
endif()

block()
  set(CMAKE_REQUIRED_INCLUDES "${PROJECT_BINARY_DIR}/backtrace")
  set(CMAKE_REQUIRED_LIBRARIES backtrace)
  check_cxx_source_compiles(
    "#include <backtrace.h>
     int main() { return backtrace_create_state(nullptr, 1, nullptr, nullptr) == nullptr; }"
    WEFT_HAVE_LIBBACKTRACE)
endblock()

if(WEFT_HAVE_LIBBACKTRACE)
  target_include_directories(weft_internal SYSTEM INTERFACE "${PROJECT_BINARY_DIR}/backtrace")
  target_compile_definitions(weft_internal INTERFACE WEFT_HAVE_LIBBACKTRACE=1)
  target_link_libraries(weft_internal INTERFACE backtrace)
endif()
