# Finds what backends/libtls uses: libtls, of libretls or of LibreSSL. CMAKE_PREFIX_PATH names a
# prefix, PKG_CONFIG_PATH a pkg-config file. Installed with the CMake package, whose static library
# needs it. It sets what every FindBackend<Name> sets, see FindBackendOpenssl.cmake.
set(BackendLibtls_TARGET BackendLibtls::Libtls)
set(BackendLibtls_LIBRARY_TEXT "libtls (libretls 3.7 or LibreSSL) with its header")
set(BackendLibtls_DEBIAN "libtls-dev")
set(BackendLibtls_PKGCONFIG "libtls")

find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND)
    pkg_check_modules(BackendLibtls_PC QUIET libtls)
endif()

find_path(BackendLibtls_INCLUDE_DIR tls.h HINTS ${BackendLibtls_PC_INCLUDE_DIRS})
find_library(BackendLibtls_LIBRARY tls HINTS ${BackendLibtls_PC_LIBRARY_DIRS})
mark_as_advanced(BackendLibtls_INCLUDE_DIR BackendLibtls_LIBRARY)

# <tls.h> tells neither whose it is nor its version: the pkg-config file beside the library does.
set(BackendLibtls_VERSION "")
set(BackendLibtls_VERSION_TEXT "libtls")
get_filename_component(_beside "${BackendLibtls_LIBRARY}" DIRECTORY)
if(EXISTS "${_beside}/pkgconfig/libtls.pc")
    file(STRINGS "${_beside}/pkgconfig/libtls.pc" _lines REGEX "^(Name|Version):")
    foreach(_line IN LISTS _lines)
        if(_line MATCHES "^Version:[ ]*(.*)$")
            set(BackendLibtls_VERSION "${CMAKE_MATCH_1}")
        elseif(_line MATCHES "LibreSSL")
            set(BackendLibtls_VERSION_TEXT "libtls of LibreSSL")
        elseif(_line MATCHES "LibreTLS")
            set(BackendLibtls_VERSION_TEXT "libtls of libretls")
        endif()
    endforeach()
    string(APPEND BackendLibtls_VERSION_TEXT " ${BackendLibtls_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BackendLibtls
    REQUIRED_VARS BackendLibtls_LIBRARY BackendLibtls_INCLUDE_DIR
    VERSION_VAR BackendLibtls_VERSION)

set(BackendLibtls_LIBRARIES ${BackendLibtls_LIBRARY})
# LibreSSL's libtls does not tell where its libssl and libcrypto lie, so that a program that links
# portls would not find them in a prefix: portls needs them itself.
if(BackendLibtls_VERSION_TEXT MATCHES "LibreSSL" AND CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")
    list(APPEND BackendLibtls_LIBRARIES "-Wl,--push-state,--no-as-needed")
    foreach(_name IN ITEMS ssl crypto)
        find_library(BackendLibtls_${_name}_LIBRARY ${_name} HINTS "${_beside}" NO_DEFAULT_PATH)
        mark_as_advanced(BackendLibtls_${_name}_LIBRARY)
        if(BackendLibtls_${_name}_LIBRARY)
            list(APPEND BackendLibtls_LIBRARIES "${BackendLibtls_${_name}_LIBRARY}")
        endif()
    endforeach()
    list(APPEND BackendLibtls_LIBRARIES "-Wl,--pop-state")
endif()
set(BackendLibtls_INCLUDE_DIRS ${BackendLibtls_INCLUDE_DIR})
if(BackendLibtls_FOUND AND NOT TARGET BackendLibtls::Libtls)
    add_library(BackendLibtls::Libtls INTERFACE IMPORTED)
    set_target_properties(BackendLibtls::Libtls PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${BackendLibtls_INCLUDE_DIRS}"
        INTERFACE_LINK_LIBRARIES "${BackendLibtls_LIBRARIES}")
endif()
