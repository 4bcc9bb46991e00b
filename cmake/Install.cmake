# What `cmake --install` puts where: headers, libraries, modules, a CMake package, pkg-config files.
include(CMakePackageConfigHelpers)

# The headers that portls/portls.h includes in the other build are left out.
set(_absent clock.h)
if(NOT PORTLS_HOSTED)
    set(_absent descriptor.h files.h interest.h stdio.h sync_set.h tcp.h)
endif()
list(TRANSFORM _absent REPLACE "(.+)" "PATTERN;\\1;EXCLUDE")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/api/portls" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h" PATTERN "features.h" EXCLUDE ${_absent})
file(READ "${PROJECT_SOURCE_DIR}/api/portls/features.h" _features)
foreach(_definition IN LISTS PORTLS_FEATURE_DEFINITIONS)
    string(REPLACE "=0" "" _feature "${_definition}")
    string(REPLACE "#define ${_feature} 1" "#define ${_feature} 0" _features "${_features}")
endforeach()
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/installed/portls/features.h" CONTENT "${_features}"
    @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/installed/portls/features.h"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/portls")

set(_package "${CMAKE_INSTALL_LIBDIR}/cmake/portls")
set(_find_modules "")
foreach(_backend IN LISTS PORTLS_BACKENDS_BUILT)
    install(TARGETS portls-${_backend} EXPORT portls
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    if(TARGET portls-module-${_backend})
        install(TARGETS portls-module-${_backend}
            LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/portls")
    endif()
    portls_backend_package(${_backend} _find)
    list(APPEND _find_modules ${_find})
    if(NOT BUILD_SHARED_LIBS AND PORTLS_BACKEND_LINKAGE STREQUAL "linked")
        install(FILES "${PROJECT_SOURCE_DIR}/cmake/Find${_find}.cmake" DESTINATION "${_package}")
        # A TLS library of portls's own: its users would find the system's in its place.
        install(FILES ${${_find}_ARCHIVE} DESTINATION "${CMAKE_INSTALL_LIBDIR}/portls")
    endif()
endforeach()
if(TARGET portls-tool)
    install(TARGETS portls-tool RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

# ---- the CMake package: portls::portls-<backend>, and portls::portls for the chosen one ----

install(EXPORT portls NAMESPACE portls:: FILE portlsTargets.cmake DESTINATION "${_package}")
# For a parent project that exports its own build tree.
export(EXPORT portls NAMESPACE portls:: FILE "${PROJECT_BINARY_DIR}/portlsTargets.cmake")

# Only users of a static library have to find the TLS library.
set(PORTLS_CONFIG_DEPENDENCIES "")
if(NOT BUILD_SHARED_LIBS)
    if(PORTLS_HOSTED)
        set(PORTLS_CONFIG_DEPENDENCIES "find_dependency(Threads)\n")
    endif()
    if(PORTLS_BACKEND_LINKAGE STREQUAL "linked")
        string(APPEND PORTLS_CONFIG_DEPENDENCIES
            "list(PREPEND CMAKE_MODULE_PATH \"\${CMAKE_CURRENT_LIST_DIR}\")\n")
        foreach(_find IN LISTS _find_modules)
            if(${_find}_ARCHIVE)
                get_filename_component(_archive "${${_find}_ARCHIVE}" NAME)
                string(APPEND PORTLS_CONFIG_DEPENDENCIES
                    "portls_own_archive(${${_find}_TARGET} ${_archive})\n")
            else()
                string(APPEND PORTLS_CONFIG_DEPENDENCIES "find_dependency(${_find} MODULE)\n")
            endif()
        endforeach()
        string(APPEND PORTLS_CONFIG_DEPENDENCIES "list(POP_FRONT CMAKE_MODULE_PATH)\n")
    endif()
endif()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/portlsConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/portlsConfig.cmake" INSTALL_DESTINATION "${_package}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/portlsConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/portlsConfig.cmake"
    "${PROJECT_BINARY_DIR}/portlsConfigVersion.cmake" DESTINATION "${_package}")

# ---- pkg-config: portls-<backend>.pc, and portls.pc for the chosen one ----

# Paths under the prefix are written relative to it, so that a moved tree only changes one line.
function(portls_pc_path path variable)
    if(IS_ABSOLUTE "${path}")
        set(${variable} "${path}" PARENT_SCOPE)
    else()
        set(${variable} "\${prefix}/${path}" PARENT_SCOPE)
    endif()
endfunction()
portls_pc_path("${CMAKE_INSTALL_LIBDIR}" PORTLS_PC_LIBDIR)
portls_pc_path("${CMAKE_INSTALL_INCLUDEDIR}" PORTLS_PC_INCLUDEDIR)

function(portls_install_pc name backend)
    portls_backend_package(${backend} package)
    set(PORTLS_PC_NAME ${name})
    set(PORTLS_PC_BACKEND ${backend})
    set(PORTLS_PC_PRIVATE "")
    set(PORTLS_PC_CFLAGS "")
    if(NOT BUILD_SHARED_LIBS)
        set(PORTLS_PC_CFLAGS " -DPORTLS_STATIC=1")
        set(libraries "")
        if(PORTLS_BACKEND_LINKAGE STREQUAL "linked" AND ${package}_ARCHIVE)
            get_filename_component(archive "${${package}_ARCHIVE}" NAME)
            list(APPEND libraries "\${libdir}/portls/${archive}")
        elseif(PORTLS_BACKEND_LINKAGE STREQUAL "linked")
            set(PORTLS_PC_PRIVATE "Requires.private: ${${package}_PKGCONFIG}\n")
        endif()
        if(PORTLS_HOSTED)
            list(APPEND libraries ${CMAKE_THREAD_LIBS_INIT})
        endif()
        if(PORTLS_HOSTED)
            foreach(library IN LISTS CMAKE_DL_LIBS)
                list(APPEND libraries "-l${library}")
            endforeach()
        endif()
        if(libraries)
            list(JOIN libraries " " libraries)
            string(APPEND PORTLS_PC_PRIVATE "Libs.private: ${libraries}\n")
        endif()
    endif()
    configure_file("${PROJECT_SOURCE_DIR}/cmake/portls.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc"
        @ONLY)
    # The prefix is known for sure only when it is installed: `cmake --install --prefix` changes it.
    install(CODE "
        file(READ \"${PROJECT_BINARY_DIR}/${name}.pc\" text)
        string(REPLACE \"%PORTLS_PREFIX%\" \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
        file(WRITE \"${PROJECT_BINARY_DIR}/installed/${name}.pc\" \"\${text}\")")
    install(FILES "${PROJECT_BINARY_DIR}/installed/${name}.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()

foreach(_backend IN LISTS PORTLS_BACKENDS_BUILT)
    portls_install_pc(portls-${_backend} ${_backend})
endforeach()
portls_install_pc(portls ${PORTLS_BACKEND})
