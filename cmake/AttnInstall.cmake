# What `cmake --install build --prefix DIR` copies beside the tools: the rooms as libraries with headers and TableGen
# files, the C interface, the plugin, and a package so that other projects write find_package(AttnMLIR).

include(CMakePackageConfigHelpers)
set(ATTN_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/AttnMLIR")

get_property(rooms GLOBAL PROPERTY ATTN_LIBRARIES)
install(TARGETS ${rooms} EXPORT AttnMLIRTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS AttnC LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT AttnMLIRTargets NAMESPACE AttnMLIR:: DESTINATION ${ATTN_PACKAGE_DIR})

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/attn" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.def" PATTERN "Precompiled.h" EXCLUDE)
install(DIRECTORY "${PROJECT_BINARY_DIR}/include/attn" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.inc" PATTERN "CMakeFiles" EXCLUDE)

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/AttnMLIRConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/AttnMLIRConfig.cmake" INSTALL_DESTINATION ${ATTN_PACKAGE_DIR}
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/AttnMLIRConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/AttnMLIRConfig.cmake" "${PROJECT_BINARY_DIR}/AttnMLIRConfigVersion.cmake"
  DESTINATION ${ATTN_PACKAGE_DIR})

# What is installed still finds libMLIR and libLLVM where they were linked.
set(installed AttnC)
get_property(folders DIRECTORY "${PROJECT_SOURCE_DIR}/tools" PROPERTY SUBDIRECTORIES)
foreach(folder ${folders})
  get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "UTILITY")
      list(APPEND installed ${target})
    endif()
  endforeach()
endforeach()
set_target_properties(${installed} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)

# Everything that has to be built before an installation; the test of it depends on this.
add_custom_target(attn-install-depends DEPENDS ${rooms} ${installed} attn_runtime)
