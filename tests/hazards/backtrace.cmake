# SPDX-License-Identifier: Apache-2.0
# gdb's backtrace of a running fiber goes from its innermost function to weft_context_start, and ends there.
#   cmake -DGDB=gdb -DPROGRAM=path -P backtrace.cmake
execute_process(COMMAND "${GDB}" -nx -batch -ex run -ex backtrace "${PROGRAM}"
                OUTPUT_VARIABLE output ERROR_VARIABLE errors TIMEOUT 60)
if(NOT output MATCHES "stop_here_in_the_fiber.*fiber_entry.*weft_context_start")
  message(FATAL_ERROR "the backtrace does not reach the fiber's entry:\n${output}\n${errors}")
endif()
if("${output}${errors}" MATCHES "weft_context_start[^\n]*\n#|corrupt stack|previous frame")
  message(FATAL_ERROR "the backtrace does not end at the fiber's entry:\n${output}\n${errors}")
endif()
