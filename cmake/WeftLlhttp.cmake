# SPDX-License-Identifier: Apache-2.0
# weft_llhttp: llhttp from its C sources (Debian: node-llhttp), in strict mode, a part of the weft library.
# The defaults of llhttp 8.1 let request smuggling through; -DLLHTTP_STRICT_MODE=1 is the parser's half of the
# cure, src/http has the other. Without api.c: src/http/protocol/llhttp_events.cpp takes its place.

find_path(WEFT_LLHTTP_INCLUDE llhttp.h PATHS /usr/share/include PATH_SUFFIXES llhttp REQUIRED)
find_path(WEFT_LLHTTP_SOURCE llhttp.c PATHS /usr/share PATH_SUFFIXES llhttp REQUIRED)
# Another minor version may have other events.
file(STRINGS "${WEFT_LLHTTP_INCLUDE}/llhttp.h" version REGEX "LLHTTP_VERSION_M(AJOR|INOR) ")
if(NOT version MATCHES "MAJOR 8;.*MINOR 1$")
  message(FATAL_ERROR "weft needs llhttp 8.1 (Debian 12: node-llhttp); ${WEFT_LLHTTP_INCLUDE}/llhttp.h says: "
                      "${version}")
endif()
set(WEFT_LLHTTP_SOURCES "${WEFT_LLHTTP_SOURCE}/llhttp.c" "${WEFT_LLHTTP_SOURCE}/http.c")

# llhttp_names.h, to be read before llhttp's header and sources: names of ours for every function that its
# objects define or call. A program may have an llhttp of its own, and neither shall call the other's events.
set(WEFT_LLHTTP_NAMES "${PROJECT_BINARY_DIR}/llhttp_names/llhttp_names.h")
set(names "/* Generated from llhttp's sources by cmake/WeftLlhttp.cmake. */\n#pragma once\n")
foreach(source IN LISTS WEFT_LLHTTP_SOURCES)
  file(STRINGS "${source}" functions REGEX "^(int|void) llhttp_[a-zA-Z0-9_]+\\(")
  list(TRANSFORM functions REPLACE "^[a-z]+ (llhttp_[a-zA-Z0-9_]+).*" "\\1")
  list(REMOVE_DUPLICATES functions)
  foreach(function IN LISTS functions)
    string(APPEND names "#define ${function} weft_${function}\n")
  endforeach()
endforeach()
file(CONFIGURE OUTPUT "${WEFT_LLHTTP_NAMES}" CONTENT "${names}" @ONLY)

# What the trained objects and those in the trainer have in common: a profile is found by the names that the
# compiler gives the objects, and holds for the code before it is optimized.
function(weft_configure_llhttp target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)
  target_include_directories(${target} PRIVATE "${WEFT_LLHTTP_INCLUDE}")
  target_compile_definitions(${target} PRIVATE LLHTTP_STRICT_MODE=1)
  target_compile_options(${target} PRIVATE -O2 -include "${WEFT_LLHTTP_NAMES}")
  target_link_libraries(${target} PRIVATE weft_codegen)
endfunction()

add_library(weft_llhttp OBJECT ${WEFT_LLHTTP_SOURCES})
weft_configure_llhttp(weft_llhttp)

# llhttp is a thousand small states in one function: wrk's request passes through 69 cache lines of it, with
# 83 jumps. Trained with requests that clients send it is 51, and 27. (Not with clang: it would need one more
# package.)
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE STREQUAL Release AND NOT CMAKE_CROSSCOMPILING
   AND NOT WEFT_SANITIZE AND NOT WEFT_COVERAGE)
  set(WEFT_LLHTTP_PROFILE "${PROJECT_BINARY_DIR}/llhttp_profile")
  # Tells the compiler the names of the profiles, in the directory that calls it.
  function(weft_name_llhttp_profiles)
    foreach(source IN LISTS WEFT_LLHTTP_SOURCES)
      cmake_path(GET source STEM name)
      set_source_files_properties(
        "${source}" PROPERTIES COMPILE_OPTIONS
        "-dumpdir;${WEFT_LLHTTP_PROFILE}/;-dumpbase;${name}.c;-dumpbase-ext;.c")
    endforeach()
  endfunction()
  add_subdirectory("${PROJECT_SOURCE_DIR}/src/http/protocol/llhttp_profile" llhttp_profile)
  set(profiles "${WEFT_LLHTTP_PROFILE}/llhttp.gcda" "${WEFT_LLHTTP_PROFILE}/http.gcda")
  add_custom_command(OUTPUT ${profiles} COMMAND ${CMAKE_COMMAND} -E rm -f ${profiles} COMMAND llhttp_train
                     DEPENDS llhttp_train COMMENT "Training llhttp" VERBATIM)
  weft_name_llhttp_profiles()
  set_source_files_properties(${WEFT_LLHTTP_SOURCES} PROPERTIES OBJECT_DEPENDS "${profiles}")
  target_compile_options(weft_llhttp PRIVATE -fprofile-use)
  # ccache does not know about the profile.
  set_target_properties(weft_llhttp PROPERTIES C_COMPILER_LAUNCHER "")
endif()

# Whatever includes src/http/protocol sees llhttp.h, and the names; the objects come with the library.
target_include_directories(weft_internal SYSTEM INTERFACE "${WEFT_LLHTTP_INCLUDE}"
                           "${PROJECT_BINARY_DIR}/llhttp_names")
target_compile_definitions(weft_internal INTERFACE LLHTTP_STRICT_MODE=1)
