# SPDX-License-Identifier: Apache-2.0
# cmake -D SOURCE=... -D USER=... -D WORK=... -D C_COMPILER=... -D COMPILER=... -D GENERATOR=...
#       -P build_shared.cmake
# Builds weft anew as a shared library, installs that, and uses it.
execute_process(
  COMMAND ${CMAKE_COMMAND} -G ${GENERATOR} -S "${SOURCE}" -B "${WORK}/weft" -D CMAKE_BUILD_TYPE=Release
          "-DCMAKE_C_COMPILER=${C_COMPILER}" "-DCMAKE_CXX_COMPILER=${COMPILER}" -D BUILD_SHARED_LIBS=ON
          -D WEFT_BUILD_TESTS=OFF -D WEFT_BUILD_TOOLS=OFF -D WEFT_BUILD_EXAMPLES=OFF
  COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build "${WORK}/weft" COMMAND_ECHO STDOUT
                COMMAND_ERROR_IS_FATAL ANY)
set(BUILD "${WORK}/weft")
set(WORK "${WORK}/use")
include("${CMAKE_CURRENT_LIST_DIR}/install_and_use.cmake")
