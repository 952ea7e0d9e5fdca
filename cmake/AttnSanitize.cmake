# What a build with sanitizers (the presets asan and tsan) needs beyond its compiler flags.
#
#   ATTN_SANITIZED         ON if the compiler's flags name a sanitizer
#   ATTN_SANITIZER_FLAGS   how the tests compile and link a program of their own with this build's libraries
#   ATTN_SANITIZER_ENV     NAME=value…, for a program without sanitizers that loads this build's shared libraries
#
# AddressSanitizer's runtime is a shared library here, so that a program of someone else's (Python, the stock mlir-opt)
# can load libAttnC.so or AttnPlugin.so with the runtime preloaded and may start this build's tools from there.

set(ATTN_SANITIZED OFF)
set(ATTN_SANITIZER_FLAGS "")
set(ATTN_SANITIZER_ENV "")
if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
  set(ATTN_SANITIZED ON)
  separate_arguments(ATTN_SANITIZER_FLAGS UNIX_COMMAND "${CMAKE_C_FLAGS}")
endif()

if(CMAKE_CXX_FLAGS MATCHES "-fsanitize=[a-z,]*address")
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "AddressSanitizer needs Clang here, but the compiler is ${CMAKE_CXX_COMPILER_ID}: "
                        "set CMAKE_C_COMPILER and CMAKE_CXX_COMPILER as the preset asan does.")
  endif()
  set(name "libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so")
  execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=${name}
                  OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT EXISTS "${runtime}")
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} has no ${name}: install its sanitizer runtimes "
                        "(Debian: libclang-rt-22-dev).")
  endif()
  get_filename_component(dir "${runtime}" DIRECTORY)
  set(link_flags -shared-libsan "-Wl,-rpath,${dir}")
  add_link_options(${link_flags})
  list(APPEND ATTN_SANITIZER_FLAGS ${link_flags})
  # The same options as in SanitizerOptions.c, which such a program lacks; its own leaks are none of our business.
  set(ATTN_SANITIZER_ENV
    "LD_PRELOAD=${runtime}"
    "ASAN_OPTIONS=allow_user_poisoning=0:detect_container_overflow=0:use_sigaltstack=0:abort_on_error=1:detect_leaks=0")
endif()

# attn_sanitize(target…): executables of this build, which bring the options along that they need.
function(attn_sanitize)
  if(ATTN_SANITIZED)
    set(options "${PROJECT_SOURCE_DIR}/cmake/SanitizerOptions.c")
    set_source_files_properties("${options}" PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    foreach(target ${ARGN})
      target_sources(${target} PRIVATE "${options}")
    endforeach()
  endif()
endfunction()
