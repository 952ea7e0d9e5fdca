# See CMakeLists.txt. Each step's failure is the test's.
function(step what)
  message(STATUS "${what}")
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(code)
    message(FATAL_ERROR "${what} failed:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(prefix "${SCRATCH}/prefix")
file(REMOVE_RECURSE "${prefix}" "${SCRATCH}/example")
step("install" "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}")

# The tools run from there, and what they need goes with them.
step("run the installed attnc" "${prefix}/bin/attnc" "${MODEL}" -o "${SCRATCH}/libencoder.so" --quiet)
step("run the installed attn-run" "${prefix}/bin/attn-run" "${SCRATCH}/libencoder.so" --list)
if(NOT output MATCHES "entry encode")
  message(FATAL_ERROR "attn-run --list printed:\n${output}")
endif()

# An installation may move.
file(REMOVE_RECURSE "${prefix} moved")
file(RENAME "${prefix}" "${prefix} moved")
set(prefix "${prefix} moved")
step("configure the example" "${CMAKE_COMMAND}" -G Ninja -S "${EXAMPLE}" -B "${SCRATCH}/example"
  "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_C_COMPILER=${CC}"
  "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}" "-DCMAKE_EXE_LINKER_FLAGS=${LINKER_FLAGS}" -DCMAKE_BUILD_TYPE=Release)
step("build and test the example" "${CMAKE_COMMAND}" --build "${SCRATCH}/example" --target check)
if(NOT output MATCHES "Passed *: 1")
  message(FATAL_ERROR "the example's tests did not all pass:\n${output}")
endif()
file(REMOVE_RECURSE "${prefix}" "${SCRATCH}/example")
