# SPDX-License-Identifier: Apache-2.0
# c-ares (Debian: libc-ares-dev): names are resolved in the event loop (src/net/resolve). Where it is missing,
# getaddrinfo() on a pool of threads is the only way.
option(WEFT_WITH_CARES "Resolve names with c-ares, if it is there" ON)
if(WEFT_WITH_CARES)
  find_path(WEFT_CARES_INCLUDE ares.h)
  find_library(WEFT_CARES_LIBRARY cares)
  mark_as_advanced(WEFT_CARES_INCLUDE WEFT_CARES_LIBRARY)
endif()

set(WEFT_HAVE_CARES OFF)
if(WEFT_WITH_CARES AND WEFT_CARES_INCLUDE AND WEFT_CARES_LIBRARY)
  set(WEFT_HAVE_CARES ON)
  target_link_libraries(weft_internal INTERFACE cares)
endif()
