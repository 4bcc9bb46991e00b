# Finds what backends/libtls uses: libtls, of libretls or of LibreSSL, and the libssl and
# libcrypto beneath it, those beside it first. CMAKE_PREFIX_PATH names a prefix, PKG_CONFIG_PATH a
# pkg-config file. Installed with the CMake package, whose static library needs it. It sets what
# every FindBackend<Name> sets, see FindBackendOpenssl.cmake.
set(BackendLibtls_TARGET BackendLibtls::Libtls)
set(BackendLibtls_LIBRARY_TEXT "libtls (libretls 3.7 or LibreSSL) with its headers and those of the libssl beneath it")
set(BackendLibtls_DEBIAN "libtls-dev libssl-dev")
set(BackendLibtls_PKGCONFIG "libtls libssl libcrypto")

find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND)
    pkg_check_modules(BackendLibtls_PC QUIET libtls)
endif()

find_path(BackendLibtls_TLS_INCLUDE_DIR tls.h HINTS ${BackendLibtls_PC_INCLUDE_DIRS})
find_library(BackendLibtls_TLS_LIBRARY tls HINTS ${BackendLibtls_PC_LIBRARY_DIRS})
get_filename_component(_beside "${BackendLibtls_TLS_LIBRARY}" DIRECTORY)
foreach(_name IN ITEMS ssl crypto)
    string(TOUPPER ${_name} _upper)
    find_library(BackendLibtls_${_upper}_LIBRARY ${_name} HINTS "${_beside}" NO_DEFAULT_PATH)
    find_library(BackendLibtls_${_upper}_LIBRARY ${_name})
endforeach()
find_path(BackendLibtls_SSL_INCLUDE_DIR openssl/ssl.h HINTS "${BackendLibtls_TLS_INCLUDE_DIR}"
    NO_DEFAULT_PATH)
find_path(BackendLibtls_SSL_INCLUDE_DIR openssl/ssl.h)
mark_as_advanced(BackendLibtls_TLS_INCLUDE_DIR BackendLibtls_SSL_INCLUDE_DIR
    BackendLibtls_TLS_LIBRARY BackendLibtls_SSL_LIBRARY BackendLibtls_CRYPTO_LIBRARY)

# No header tells the version: the pkg-config file does, if it is the one of this library.
set(BackendLibtls_VERSION "")
if(BackendLibtls_PC_FOUND)
    foreach(_directory IN LISTS BackendLibtls_PC_LIBRARY_DIRS BackendLibtls_PC_LIBDIR)
        get_filename_component(_directory "${_directory}" REALPATH)
        get_filename_component(_real "${_beside}" REALPATH)
        if(_directory STREQUAL _real)
            set(BackendLibtls_VERSION "${BackendLibtls_PC_VERSION}")
        endif()
    endforeach()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BackendLibtls
    REQUIRED_VARS BackendLibtls_TLS_LIBRARY BackendLibtls_SSL_LIBRARY BackendLibtls_CRYPTO_LIBRARY
        BackendLibtls_TLS_INCLUDE_DIR BackendLibtls_SSL_INCLUDE_DIR
    VERSION_VAR BackendLibtls_VERSION)

set(BackendLibtls_LIBRARIES ${BackendLibtls_TLS_LIBRARY} ${BackendLibtls_SSL_LIBRARY}
    ${BackendLibtls_CRYPTO_LIBRARY})
set(BackendLibtls_INCLUDE_DIRS ${BackendLibtls_TLS_INCLUDE_DIR} ${BackendLibtls_SSL_INCLUDE_DIR})
if(BackendLibtls_FOUND AND NOT TARGET BackendLibtls::Libtls)
    add_library(BackendLibtls::Libtls INTERFACE IMPORTED)
    set_target_properties(BackendLibtls::Libtls PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${BackendLibtls_INCLUDE_DIRS}"
        INTERFACE_LINK_LIBRARIES "${BackendLibtls_LIBRARIES}")
    # backends/libtls/libssl.c registers a callback with libssl, so its code must not be unloaded
    # before libssl is.
    if(UNIX AND NOT APPLE)
        set_property(TARGET BackendLibtls::Libtls APPEND PROPERTY
            INTERFACE_LINK_OPTIONS "LINKER:-z,nodelete")
    endif()
endif()
