# SPDX-License-Identifier: Apache-2.0
# cmake -D BUILD=... -D USER=... -D WORK=... -D COMPILER=... -D GENERATOR=... -P install_and_use.cmake
function(step)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${WORK}")
step(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${WORK}/prefix")
step(${CMAKE_COMMAND} -G ${GENERATOR} -S "${USER}" -B "${WORK}/build" -D CMAKE_BUILD_TYPE=Release
     "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_EXE_LINKER_FLAGS=${LINKER_FLAGS}"
     "-DCMAKE_PREFIX_PATH=${WORK}/prefix")
step(${CMAKE_COMMAND} --build "${WORK}/build")
step("${WORK}/build/user")
step("${WORK}/build/user_of_llhttp")
