# SPDX-License-Identifier: Apache-2.0
# What a user or a preset may choose, and the settings that hold for every target.

option(WEFT_BUILD_TESTS "Build the tests (needs GoogleTest)" ${PROJECT_IS_TOP_LEVEL})
option(WEFT_BUILD_TOOLS "Build the weft command (needs CLI11)" ${PROJECT_IS_TOP_LEVEL})
option(WEFT_BUILD_COMPARE "Build weft compare into the command" ON)
option(WEFT_BUILD_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL})
option(WEFT_BUILD_BENCH "Build the benchmarks (needs Google Benchmark)" OFF)
option(WEFT_BUILD_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(WEFT_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" OFF)
option(WEFT_LTO "Link-time optimization" OFF)
option(WEFT_UNITY_TESTS "Compile the sources of a test program in batches" OFF)
option(WEFT_TESTS_IN_ONE_PROCESS "A test program is one test to ctest, not one for each of its tests" OFF)
option(WEFT_NOT_TO_BE_MEASURED "Build what is there to be measured as quickly as can be" OFF)
option(WEFT_COVERAGE "Instrument for coverage (gcc, gcov)" OFF)
set(WEFT_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize= (address,undefined or thread)")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
  endif()
  # gcc looks for garbage among its own data whenever there is a third more of it: a tenth of its time, for
  # nothing at these sizes. It then takes 0.9 GB instead of 0.7 for the largest batch.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(--param=ggc-min-heapsize=262144 --param=ggc-min-expand=300)
  endif()
  find_program(WEFT_CCACHE ccache)
  if(WEFT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER "${WEFT_CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${WEFT_CCACHE}")
  endif()
endif()

# The static library, too, can then be linked into a shared object, such as a plugin. Costs nothing where it
# is linked into a program: the linker takes the shorter way.
if(NOT DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
endif()

# A mutex then knows its owner. Decided when weft is built, not by the user's NDEBUG: the size depends on it.
string(COMPARE EQUAL "${CMAKE_BUILD_TYPE}" Debug WEFT_IS_DEBUG_BUILD)
option(WEFT_CHECK_LOCKS "Report self-deadlock and unlock by a stranger" ${WEFT_IS_DEBUG_BUILD})

if(WEFT_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES C CXX)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  # gcc can put machine code beside its intermediate one: what is installed then links without LTO as well,
  # and so do most tests. clang 14 cannot.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    set(WEFT_FAT_OBJECTS ON)
  endif()
endif()

find_package(Threads REQUIRED)
if(WEFT_BUILD_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
