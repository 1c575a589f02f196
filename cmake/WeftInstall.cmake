# SPDX-License-Identifier: Apache-2.0
# cmake --install: the library, its public headers, and what find_package(weft CONFIG) reads. What another
# compiler shall link is installed from a build without WEFT_LTO.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(WEFT_INSTALL_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/weft")

install(TARGETS weft EXPORT weftTargets)
install(DIRECTORY include/weft TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp")
install(EXPORT weftTargets NAMESPACE weft:: DESTINATION "${WEFT_INSTALL_CMAKEDIR}")

configure_package_config_file(cmake/weftConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/weftConfig.cmake"
                              INSTALL_DESTINATION "${WEFT_INSTALL_CMAKEDIR}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/weftConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/weftConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/weftConfigVersion.cmake"
        DESTINATION "${WEFT_INSTALL_CMAKEDIR}")
install(FILES tools/gdb/weft_gdb.py DESTINATION "${CMAKE_INSTALL_DATADIR}/weft/gdb")
if(TARGET weft_command)
  install(TARGETS weft_command weft_exports)
endif()
