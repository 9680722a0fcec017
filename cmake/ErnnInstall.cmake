# cmake --install: libraries, headers and a package file, so that find_package(ernn) works elsewhere.
include(CMakePackageConfigHelpers)
get_property(ERNN_LIBRARIES GLOBAL PROPERTY ERNN_LIBRARIES)
install(TARGETS ${ERNN_LIBRARIES} ernn_torch EXPORT ernnTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS ernn RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
foreach(folder base features compute models admm export runtime explore train)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ernn FILES_MATCHING
          PATTERN "*.h")
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/hls DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ernn FILES_MATCHING
        PATTERN "*.h" PATTERN "*.cpp")
set(ERNN_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/ernn)
install(EXPORT ernnTargets NAMESPACE ernn:: DESTINATION ${ERNN_PACKAGE_DIR})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/ernnConfig.cmake.in ${PROJECT_BINARY_DIR}/ernnConfig.cmake
                              INSTALL_DESTINATION ${ERNN_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ernnConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ernnConfig.cmake ${PROJECT_BINARY_DIR}/ernnConfigVersion.cmake
              ${PROJECT_SOURCE_DIR}/cmake/FindFlite.cmake
        DESTINATION ${ERNN_PACKAGE_DIR})
