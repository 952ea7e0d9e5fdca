# How every room is built: one static library a room, all MLIR code behind one precompiled header, linked against the
# shared MLIR and LLVM only (the static MLIR targets beside them would register everything twice).

set(ATTN_CXX_FLAGS -fno-exceptions -Wall -Wextra -Wno-unused-parameter -fvisibility-inlines-hidden)
if(LLVM_ENABLE_RTTI)
  list(APPEND ATTN_CXX_FLAGS -frtti)
else()
  list(APPEND ATTN_CXX_FLAGS -fno-rtti)
endif()

function(attn_target_options target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${ATTN_CXX_FLAGS}>)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_include_directories(${target} SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
endfunction()

# The precompiled header lives in a library of its own, which the others reuse.
function(attn_add_pch)
  file(WRITE "${PROJECT_BINARY_DIR}/pch.cpp" "")
  add_library(AttnPCH STATIC "${PROJECT_BINARY_DIR}/pch.cpp")
  attn_target_options(AttnPCH)
  target_precompile_headers(AttnPCH PRIVATE "${PROJECT_SOURCE_DIR}/include/attn/Support/Precompiled.h")
endfunction()

# attn_add_library(Name SOURCES a.cpp b.cpp [DEPENDS tablegen-target…] [LINK Room…])
function(attn_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  attn_target_options(${name})
  target_precompile_headers(${name} REUSE_FROM AttnPCH)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
  set_property(GLOBAL APPEND PROPERTY ATTN_LIBRARIES ${name})
endfunction()

# attn_add_tool(name SOURCES a.cpp [LINK Room…])
function(attn_add_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  attn_target_options(${name})
  target_precompile_headers(${name} REUSE_FROM AttnPCH)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} MLIR LLVM)
  # Compiled as the libraries are, so that the precompiled header fits.
  target_compile_options(${name} PRIVATE -fPIC)
  attn_sanitize(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin"
                                           POSITION_INDEPENDENT_CODE OFF)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
