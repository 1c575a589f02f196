# SPDX-License-Identifier: Apache-2.0
# weft_add_fuzz_target(name SOURCES x.cpp... [SEEDS program] [DICTIONARY file])
#     In the fuzz preset, a libFuzzer program of SOURCES (LLVMFuzzerTestOneInput) and the test fuzz.<name>,
#     which fuzzes for WEFT_FUZZ_SECONDS (10) from the seeds that `program FOLDER` writes. What it found stays
#     in the build directory and is where the next run starts. Elsewhere nothing: a smoke test is an ordinary
#     test.
function(weft_add_fuzz_target name)
  if(NOT WEFT_BUILD_FUZZ)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 FUZZ "" "SEEDS;DICTIONARY" "SOURCES")
  weft_add_executable(${name} SOURCES ${FUZZ_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set(work "${CMAKE_CURRENT_BINARY_DIR}/${name}.corpus")
  file(MAKE_DIRECTORY "${work}/seeds" "${work}/found")
  set(dictionary)
  if(FUZZ_DICTIONARY)
    set(dictionary "-dict=${CMAKE_CURRENT_SOURCE_DIR}/${FUZZ_DICTIONARY}")
  endif()
  add_test(NAME fuzz.${name} WORKING_DIRECTORY "${work}"
           COMMAND sh -c "exec \"$0\" -max_total_time=\${WEFT_FUZZ_SECONDS:-10} -timeout=10 \"$@\""
                   $<TARGET_FILE:${name}> ${dictionary} found seeds)
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 900 FIXTURES_REQUIRED ${name}.seeds)
  weft_label_target(fuzz ${name})
  if(FUZZ_SEEDS)
    add_test(NAME fuzz.${name}.seeds COMMAND ${FUZZ_SEEDS} "${work}/seeds")
    set_tests_properties(fuzz.${name}.seeds PROPERTIES LABELS fuzz FIXTURES_SETUP ${name}.seeds)
    weft_label_target(fuzz ${FUZZ_SEEDS})
  endif()
endfunction()
