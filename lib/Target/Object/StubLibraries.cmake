# Stub libraries: shared libraries that hold names and versions of functions, but no code. Linking against them gives a
# library the right DT_NEEDED entries and symbol versions without a C library of the target on the build machine.

find_program(ATTN_LLVM_MC NAMES llvm-mc llvm-mc-22 HINTS "${LLVM_TOOLS_BINARY_DIR}" REQUIRED)
find_program(ATTN_LLD NAMES ld.lld ld.lld-22 HINTS "${LLVM_TOOLS_BINARY_DIR}" REQUIRED)

# attn_add_stub_library(out arch soname file…) sets ${out} to the path of a stub for arch (x86_64 or aarch64) that has the
# symbols of this soname in the .def files.
function(attn_add_stub_library out arch soname)
  set(names "")
  set(versions "")
  foreach(file ${ARGN})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" lines REGEX "^ATTN_[A-Z]+_SYMBOL\\(.*\"${soname}\"")
    foreach(line ${lines})
      string(REGEX MATCH "\\(([A-Za-z0-9_]+), *\"[^\"]*\", *\"([^\"]*)\", *\"([^\"]*)\"" ignored "${line}")
      set(name "${CMAKE_MATCH_1}")
      if(arch STREQUAL "x86_64")
        set(version "${CMAKE_MATCH_2}")
      else()
        set(version "${CMAKE_MATCH_3}")
      endif()
      if(NOT version STREQUAL "" AND NOT name IN_LIST names)
        list(APPEND names "${name}")
        if(NOT version IN_LIST versions)
          list(APPEND versions "${version}")
        endif()
        string(APPEND "members_${version}" " ${name};")
      endif()
    endforeach()
  endforeach()
  if(NOT names)
    message(FATAL_ERROR "no symbols of ${soname} in ${ARGN}")
  endif()

  set(assembly ".text\n")
  foreach(name ${names})
    string(APPEND assembly ".globl ${name}\n.type ${name},@function\n${name}:\n.byte 0\n.size ${name}, 1\n")
  endforeach()
  set(script "")
  foreach(version ${versions})
    string(APPEND script "${version} {${members_${version}}};\n")
  endforeach()

  set(dir "${CMAKE_CURRENT_BINARY_DIR}/stubs/${arch}")
  file(MAKE_DIRECTORY "${dir}")
  file(CONFIGURE OUTPUT "${dir}/${soname}.s" CONTENT "${assembly}" @ONLY)
  file(CONFIGURE OUTPUT "${dir}/${soname}.map" CONTENT "${script}" @ONLY)
  add_custom_command(OUTPUT "${dir}/${soname}"
    COMMAND "${ATTN_LLVM_MC}" -filetype=obj -triple=${arch}-unknown-linux-gnu "${dir}/${soname}.s" -o "${dir}/${soname}.o"
    COMMAND "${ATTN_LLD}" -shared "-soname=${soname}" "--version-script=${dir}/${soname}.map" --hash-style=gnu
            --build-id=none -z norelro -s "${dir}/${soname}.o" -o "${dir}/${soname}"
    DEPENDS "${dir}/${soname}.s" "${dir}/${soname}.map"
    COMMENT "Making the ${arch} stub of ${soname}" VERBATIM)
  set(${out} "${dir}/${soname}" PARENT_SCOPE)
endfunction()
