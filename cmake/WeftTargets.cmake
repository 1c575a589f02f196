# SPDX-License-Identifier: Apache-2.0
# How targets are declared.
#
#   weft_add_layer(name SOURCES a.cpp b.cpp ... TESTS a_test.cpp ... [LINK target...])
#       a layer of the library: objects in weft_<name>, unit tests in the executable <name>_test, which links
#       this layer and those declared before it, no others: a broken layer does not stop the tests of those on
#       its left. LINK names object libraries that become part of weft, before this layer.
#   weft_add_test(name SOURCES x_test.cpp ... [LINK target...] [LABELS label...] [TIMEOUT seconds])
#       a GoogleTest executable over the whole library. HACKING.md lists the labels.
#   weft_add_stranger_test(family [SOURCES a.cpp ...] [TIMEOUT seconds])
#       a GoogleTest executable, stranger_<family>_test, that sees of weft what an installed copy shows: the
#       public headers and the library.
#   weft_add_executable(name SOURCES ... [LINK target...])
#       a program of ours over the whole library (tools, benchmarks, examples).
#
# The target tests_<label> builds every test executable that has the label.

# Adds a directory if it has a CMakeLists.txt.
function(weft_add_directory directory)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${directory}/CMakeLists.txt")
    add_subdirectory(${directory})
  endif()
endfunction()

# weft_internal: what every target of ours compiles with. Private headers are included from src/.
add_library(weft_internal INTERFACE)
target_include_directories(weft_internal INTERFACE
                           "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(weft_internal INTERFACE weft_warnings weft_codegen Threads::Threads)
target_compile_definitions(weft_internal INTERFACE WEFT_CHECK_LOCKS=$<BOOL:${WEFT_CHECK_LOCKS}>)

# Leaves out of a list the files that are not there, so that a layer in the making does not stop the others
# from being configured: a warning, and an error where warnings are errors.
function(weft_existing_files variable)
  set(severity WARNING)
  if(WEFT_WARNINGS_AS_ERRORS)
    set(severity SEND_ERROR)
  endif()
  set(existing)
  foreach(file IN LISTS ${variable})
    cmake_path(ABSOLUTE_PATH file NORMALIZE OUTPUT_VARIABLE path)
    if(EXISTS "${path}")
      list(APPEND existing "${file}")
    else()
      message(${severity} "listed, but not there: ${path}")
    endif()
  endforeach()
  set(${variable} ${existing} PARENT_SCOPE)
endfunction()

define_property(GLOBAL PROPERTY WEFT_LAYER_TARGETS BRIEF_DOCS "object libraries of the layers, left to right")
set_property(GLOBAL PROPERTY WEFT_LAYER_TARGETS "")

function(weft_add_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 LAYER "" "" "SOURCES;TESTS;LINK")
  weft_existing_files(LAYER_SOURCES)
  weft_existing_files(LAYER_TESTS)
  set_property(GLOBAL APPEND PROPERTY WEFT_LAYER_TARGETS ${LAYER_LINK})
  if(LAYER_SOURCES)
    add_library(weft_${name} OBJECT ${LAYER_SOURCES})
    target_link_libraries(weft_${name} PRIVATE weft_internal ${LAYER_LINK})
    set_property(GLOBAL APPEND PROPERTY WEFT_LAYER_TARGETS weft_${name})
  endif()
  if(LAYER_TESTS AND WEFT_BUILD_TESTS)
    get_property(layers GLOBAL PROPERTY WEFT_LAYER_TARGETS)
    weft_add_gtest(${name}_test SOURCES ${LAYER_TESTS} LINK ${layers} LABELS unit ${name})
  endif()
endfunction()

# The one library, static unless BUILD_SHARED_LIBS, of the objects of all layers.
function(weft_add_library)
  get_property(layers GLOBAL PROPERTY WEFT_LAYER_TARGETS)
  list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_library(weft ${objects})
  add_library(weft::weft ALIAS weft)
  set_target_properties(weft PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_compile_features(weft PUBLIC cxx_std_20)
  target_compile_definitions(weft PUBLIC WEFT_CHECK_LOCKS=$<BOOL:${WEFT_CHECK_LOCKS}>)
  target_compile_options(weft PUBLIC ${WEFT_STACK_CLASH_PROTECTION})
  target_include_directories(weft PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                         $<INSTALL_INTERFACE:include>)
  target_link_libraries(weft PUBLIC Threads::Threads PRIVATE $<BUILD_INTERFACE:weft_codegen>)
  # Threads of the library go on when what it is linked into is unloaded.
  set(is_unloadable "$<IN_LIST:$<TARGET_PROPERTY:TYPE>,MODULE_LIBRARY;SHARED_LIBRARY>")
  target_link_options(weft PUBLIC "$<${is_unloadable}:LINKER:-z,nodelete>")
  if(WEFT_HAVE_LIBBACKTRACE)
    target_link_libraries(weft PRIVATE backtrace)
  endif()
  if(WEFT_HAVE_LIBURING)
    target_link_libraries(weft PRIVATE uring)
  endif()
  if(WEFT_HAVE_CARES)
    target_link_libraries(weft PRIVATE cares)
  endif()
endfunction()

# A GoogleTest executable. Its tests are named <name without _test>.<Suite>.<Test>, and are found when ctest
# runs, so that building runs nothing of what it built. With WEFT_TESTS_IN_ONE_PROCESS the executable is one
# test to ctest, <name without _test>.in_one_process.
function(weft_add_gtest name)
  cmake_parse_arguments(PARSE_ARGV 1 TEST "PUBLIC_HEADERS_ONLY" "TIMEOUT" "SOURCES;LINK;LABELS")
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 120)
  endif()
  add_executable(${name} ${TEST_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  if(NOT TEST_PUBLIC_HEADERS_ONLY)
    target_link_libraries(${name} PRIVATE weft_internal)
  endif()
  target_link_libraries(${name} PRIVATE weft_warnings weft_codegen ${TEST_LINK}
                                        GTest::gmock GTest::gtest_main)
  string(REGEX REPLACE "_test$" "" prefix ${name})
  # Instrumented, the macros of GoogleTest cost twice as much to optimize as to compile (29 s and 10 s for the
  # largest file, gcc's ASan and UBSan); what is tested is optimized all the same.
  if(WEFT_SANITIZE)
    target_compile_options(${name} PRIVATE -O0)
    # gcc's checks of every access to a member are a quarter of the time again. ASan sees the most of it, and
    # the library, which is what is tested, has them all; so do the tests under clang's UBSan.
    if(WEFT_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      target_compile_options(${name} PRIVATE -fno-sanitize=alignment,null,vptr)
    endif()
  endif()
  weft_shorten_build(${name} "${TEST_LABELS}")
  # What is counted or timed is not to be disturbed by another test.
  set(serial OFF)
  if("counts" IN_LIST TEST_LABELS OR "slow_client" IN_LIST TEST_LABELS)
    set(serial ON)
  endif()
  if(WEFT_TESTS_IN_ONE_PROCESS)
    weft_test_in_one_process(${name} ${prefix} ${TEST_TIMEOUT})
    set_tests_properties(${prefix}.in_one_process PROPERTIES LABELS "${TEST_LABELS}" RUN_SERIAL ${serial})
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 TEST_PREFIX "${prefix}."
                         PROPERTIES LABELS "${TEST_LABELS}" TIMEOUT ${TEST_TIMEOUT} RUN_SERIAL ${serial})
  endif()
  foreach(label IN LISTS TEST_LABELS)
    weft_label_target(${label} ${name})
  endforeach()
endfunction()

# A process costs more than most tests: 0.15 s for each of 1,571 in sync_test (gcc's ASan), all of which take
# 6 s in one process; 0.05 s where nothing is instrumented. Each test still has the timeout; ./test counts
# them from results/.
function(weft_test_in_one_process name prefix timeout)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME ${prefix}.in_one_process
           COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/tools/run_gtest.py" --timeout ${timeout}
                   --results "${PROJECT_BINARY_DIR}/results/${name}.xml" $<TARGET_FILE:${name}>)
  set_tests_properties(${prefix}.in_one_process PROPERTIES TIMEOUT 3000)
endfunction()

# What makes a test program quick to build where all of them are built from nothing (./test): its sources
# compiled in batches (WEFT_UNITY_TESTS), so that GoogleTest and the library's headers are read once a batch,
# and no link-time optimization (30 s of linking for the largest) but for those whose subject it is, and those
# with the label `lto`.
function(weft_shorten_build name labels)
  set(with_lto hazards lto)
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${WEFT_UNITY_TESTS} UNITY_BUILD_BATCH_SIZE 10)
  foreach(label IN LISTS labels)
    if(label IN_LIST with_lto)
      return()
    endif()
  endforeach()
  if(WEFT_FAT_OBJECTS)
    # What is tested is optimized. GoogleTest's macros are most of a test's code, and of the compiler's time.
    # A model is run a hundred thousand times.
    if("model" IN_LIST labels)
      target_compile_options(${name} PRIVATE -O1 -Wno-maybe-uninitialized)  # which guesses, and badly at -O1
    elseif(NOT "stress" IN_LIST labels)
      target_compile_options(${name} PRIVATE -O0)
    endif()
  endif()
  weft_link_without_lto(${name})
endfunction()

# For what is there to be measured, which ./test builds to see that it goes on to build, and to run.
function(weft_build_briefly name)
  if(WEFT_NOT_TO_BE_MEASURED)
    target_compile_options(${name} PRIVATE -O0)
    weft_link_without_lto(${name})
  endif()
endfunction()

# Links the machine code of fat objects, if they are such.
function(weft_link_without_lto name)
  if(WEFT_FAT_OBJECTS)
    set_target_properties(${name} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    target_link_options(${name} PRIVATE -fno-lto)
  endif()
endfunction()

function(weft_label_target label name)
  if(NOT TARGET tests_${label})
    add_custom_target(tests_${label})
  endif()
  add_dependencies(tests_${label} ${name})
endfunction()

function(weft_add_test name)
  weft_add_gtest(${name} LINK weft ${ARGN})
endfunction()

function(weft_add_stranger_test family)
  cmake_parse_arguments(PARSE_ARGV 1 STRANGER "" "TIMEOUT" "SOURCES")
  weft_add_gtest(stranger_${family}_test PUBLIC_HEADERS_ONLY LINK weft SOURCES ${STRANGER_SOURCES}
                 LABELS stranger TIMEOUT "${STRANGER_TIMEOUT}")
endfunction()

function(weft_add_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 PROGRAM "" "" "SOURCES;LINK")
  add_executable(${name} ${PROGRAM_SOURCES})
  target_link_libraries(${name} PRIVATE weft_internal weft ${PROGRAM_LINK})
endfunction()
