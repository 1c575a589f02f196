# SPDX-License-Identifier: Apache-2.0
# liburing (Debian: liburing-dev): several writes with one system call (src/sys/send_ring.hpp). Where it is
# missing, each write is one.
option(WEFT_LIBURING "Use liburing, if it is there" ON)
if(WEFT_LIBURING)
  find_path(WEFT_LIBURING_INCLUDE liburing.h)
  find_library(WEFT_LIBURING_LIBRARY uring)
  mark_as_advanced(WEFT_LIBURING_INCLUDE WEFT_LIBURING_LIBRARY)
endif()

set(WEFT_HAVE_LIBURING OFF)
if(WEFT_LIBURING AND WEFT_LIBURING_INCLUDE AND WEFT_LIBURING_LIBRARY)
  set(WEFT_HAVE_LIBURING ON)
  target_link_libraries(weft_internal INTERFACE uring)
endif()
target_compile_definitions(weft_internal INTERFACE WEFT_HAVE_LIBURING=$<BOOL:${WEFT_HAVE_LIBURING}>)
