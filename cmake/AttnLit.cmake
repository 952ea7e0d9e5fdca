# The targets that run tests: check-attn runs everything, check-attn-{unit,lit,python} one kind each.
#
# attn_add_lit_suite() is called from test/CMakeLists.txt after the tools and the unit tests exist. The tests run in
# build/test: `lit build/test/Tools` runs some of them.

find_program(ATTN_LIT NAMES lit lit-22 llvm-lit HINTS "${LLVM_TOOLS_BINARY_DIR}")
# Debian's own interpreter rather than one of a version manager, whose packages come and go. Tests take .venv's first.
find_program(ATTN_PYTHON NAMES python3 HINTS /usr/bin)

function(attn_add_lit_suite)
  configure_file("${PROJECT_SOURCE_DIR}/test/lit.site.cfg.py.in" "${PROJECT_BINARY_DIR}/test/lit.site.cfg.py" @ONLY)

  add_custom_target(attn-test-depends)
  foreach(dependency attnc attn-opt attn-run attn-interpret attn-lsp-server attn-reduce attn-ptx-sim attn-cuda-sim
                     AttnC AttnPlugin AttnRuntimeTestPlugin attn-doc)
    if(TARGET ${dependency})
      add_dependencies(attn-test-depends ${dependency})
    endif()
  endforeach()

  set(lit "${ATTN_LIT}" -sv "${PROJECT_BINARY_DIR}/test")
  if(NOT ATTN_LIT)
    set(lit "${CMAKE_COMMAND}" -E false)
    message(STATUS "lit is not installed (Debian: llvm-22-tools; else pip install lit): check-attn-lit will fail")
  endif()
  set(python "${PROJECT_SOURCE_DIR}/.venv/bin/python")
  if(NOT EXISTS "${python}")
    set(python "${ATTN_PYTHON}")
  endif()
  add_custom_target(check-attn-lit COMMAND ${lit} DEPENDS attn-test-depends USES_TERMINAL)
  add_custom_target(check-attn-unit
    COMMAND ${CMAKE_CTEST_COMMAND} --output-on-failure --no-tests=error
    WORKING_DIRECTORY "${PROJECT_BINARY_DIR}" DEPENDS attn-unit-tests USES_TERMINAL)
  add_custom_target(check-attn-python
    COMMAND ${CMAKE_COMMAND} -E env ${ATTN_SANITIZER_ENV} "ATTN_BUILD_DIR=${PROJECT_BINARY_DIR}"
            "${python}" -m pytest -q "${PROJECT_SOURCE_DIR}/test/Python"
    DEPENDS attn-test-depends USES_TERMINAL)
  add_custom_target(check-attn DEPENDS check-attn-unit check-attn-lit check-attn-python)
endfunction()
