# The memory as a library for other programs: presilicon::memory, installed with its header, the
# shipped parts and what find_package(presilicon) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One archive of the stages it is made of. A linker takes of an archive only what is asked for, and
# a MemorySystem asks for nothing that needs more than fmt and libfyaml.
add_library(presilicon_memory STATIC $<TARGET_OBJECTS:presil_embed> $<TARGET_OBJECTS:presil_dram>
  $<TARGET_OBJECTS:presil_chip> $<TARGET_OBJECTS:presil_base>)
set_target_properties(presilicon_memory PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME memory)
target_link_libraries(presilicon_memory PRIVATE fmt::fmt PkgConfig::FYAML)
target_include_directories(presilicon_memory INTERFACE $<INSTALL_INTERFACE:include>)
target_compile_features(presilicon_memory INTERFACE cxx_std_17)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/presilicon)
set(PRESILICON_SHARE ${CMAKE_INSTALL_DATADIR}/presilicon)
configure_package_config_file(cmake/presilicon-config.cmake.in presilicon-config.cmake
  INSTALL_DESTINATION ${package} PATH_VARS PRESILICON_SHARE)
write_basic_package_version_file(presilicon-config-version.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS presilicon_memory EXPORT presilicon)
install(EXPORT presilicon NAMESPACE presilicon:: FILE presilicon-targets.cmake
  DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/presilicon-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/presilicon-config-version.cmake DESTINATION ${package})
install(FILES include/presilicon/memory.h DESTINATION include/presilicon)
install(DIRECTORY memories DESTINATION ${PRESILICON_SHARE} FILES_MATCHING PATTERN "*.yaml")
install(FILES LICENSE DESTINATION ${PRESILICON_SHARE})
