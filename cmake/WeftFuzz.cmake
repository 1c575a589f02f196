# SPDX-License-Identifier: Apache-2.0
# weft_add_fuzz_target(name SOURCES x_fuzz.cpp CORPUS folder)
#     SOURCES define LLVMFuzzerTestOneInput. In the fuzz preset a libFuzzer program and the test fuzz.<name>,
#     which fuzzes for WEFT_FUZZ_SECONDS (10); elsewhere tests/fuzz/replay.cpp drives it over the corpus and a
#     fixed number of seeded mutations of it, so that the corpus is part of every build's tests.
function(weft_add_fuzz_target name)
  cmake_parse_arguments(PARSE_ARGV 1 FUZZ "" "CORPUS" "SOURCES")
  set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/${FUZZ_CORPUS}")
  add_executable(${name} ${FUZZ_SOURCES})
  target_link_libraries(${name} PRIVATE weft_internal weft)
  if(WEFT_BUILD_FUZZ)
    set(found "${CMAKE_CURRENT_BINARY_DIR}/${name}.found")
    file(MAKE_DIRECTORY "${found}")
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${name} WORKING_DIRECTORY "${found}"
             COMMAND sh -c "exec \"$0\" -max_total_time=\${WEFT_FUZZ_SECONDS:-10} -timeout=10 \"$@\""
                     $<TARGET_FILE:${name}> "${found}" "${corpus}")
  else()
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests/fuzz/replay.cpp")
    add_test(NAME fuzz.${name} COMMAND ${name} "${corpus}")
  endif()
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 900)
  weft_label_target(fuzz ${name})
endfunction()
