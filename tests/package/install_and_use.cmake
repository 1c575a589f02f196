# SPDX-License-Identifier: Apache-2.0
# cmake -D BUILD=... -D USER=... -D WORK=... -D COMPILER=... -D GENERATOR=... -P install_and_use.cmake
function(step)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${WORK}")
step(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${WORK}/prefix")
step(${CMAKE_COMMAND} -G ${GENERATOR} -S "${USER}" -B "${WORK}/build" -D CMAKE_BUILD_TYPE=Release
     "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_EXE_LINKER_FLAGS=${LINKER_FLAGS}"
     "-DCMAKE_MODULE_LINKER_FLAGS=${LINKER_FLAGS}"
     "-DCMAKE_PREFIX_PATH=${WORK}/prefix")
step(${CMAKE_COMMAND} --build "${WORK}/build")
step("${WORK}/build/user")
step("${WORK}/build/user_of_llhttp")
step("${WORK}/build/without_exceptions")
step("${WORK}/build/plugin_host" "${WORK}/build/libplugin.so")

# Each frame is larger than a fiber's stack; without -fstack-clash-protection, which the target brings, it
# stepped over the guard and into another fiber's stack, and the program ended with 0.
foreach(size IN ITEMS 160KiB 1MiB 16MiB alloca)
  execute_process(COMMAND "${WORK}/build/large_frame" ${size} COMMAND_ECHO STDOUT
                  RESULT_VARIABLE result ERROR_VARIABLE text)
  message(STATUS "${result}\n${text}")
  if(NOT text MATCHES "weft: stack overflow in fiber \"large frame\" \\(128 KiB stack, spawned at ")
    message(FATAL_ERROR "a frame of ${size} was not reported")
  endif()
  if(result EQUAL 0)
    message(FATAL_ERROR "a frame of ${size} did not end the program")
  endif()
endforeach()
execute_process(COMMAND "${WORK}/build/large_frame" 64KiB COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
