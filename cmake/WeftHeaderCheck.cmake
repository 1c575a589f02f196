# SPDX-License-Identifier: Apache-2.0
# header_check_public, header_check_private: compile each header alone, twice in a row. A public one sees
# include/ only, as it does at a user's, so that it cannot lean on a private header either. A header that
# another one includes first of all needs no compilation of its own: nothing stands before it there either.

function(weft_header_check name root)
  cmake_parse_arguments(PARSE_ARGV 2 CHECK "" "" "LINK;INCLUDE")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${root}" "${root}/*.hpp")
  set(proven)
  foreach(header IN LISTS headers)
    file(STRINGS "${root}/${header}" first REGEX "^#include" LIMIT_COUNT 1)
    if(first MATCHES "[<\"](.+)[>\"]")
      list(APPEND proven "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  if(proven)
    list(REMOVE_ITEM headers ${proven})
  endif()
  set(sources)
  foreach(header IN LISTS headers)
    string(REPLACE "/" "." stem "${header}")
    set(source "${CMAKE_CURRENT_BINARY_DIR}/${name}/${stem}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include <${header}>\n#include <${header}>\n")
    list(APPEND sources "${source}")
  endforeach()
  if(sources)
    add_library(${name} OBJECT EXCLUDE_FROM_ALL ${sources})
    set_target_properties(${name} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF UNITY_BUILD OFF)
    target_include_directories(${name} PRIVATE ${CHECK_INCLUDE})
    target_compile_options(${name} PRIVATE -O0 -g0)
    target_link_libraries(${name} PRIVATE weft_warnings ${CHECK_LINK})
  endif()
endfunction()

weft_header_check(header_check_public "${PROJECT_SOURCE_DIR}/include" INCLUDE "${PROJECT_SOURCE_DIR}/include")
weft_header_check(header_check_private "${PROJECT_SOURCE_DIR}/src" LINK weft_internal)

if(WEFT_BUILD_TESTS)
  foreach(headers IN ITEMS public private)
    add_test(NAME headers.each_${headers}_one_compiles_alone
             COMMAND ${CMAKE_COMMAND} --build "${PROJECT_BINARY_DIR}" --target header_check_${headers})
  endforeach()
  set_tests_properties(headers.each_public_one_compiles_alone PROPERTIES LABELS headers TIMEOUT 600)
  # A minute and a half: in ./test --full.
  set_tests_properties(headers.each_private_one_compiles_alone PROPERTIES LABELS full TIMEOUT 600)
endif()
