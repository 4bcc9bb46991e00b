# Finds what backends/wolfssl uses: the wolfSSL that pkg-config knows. FindBackendOpenssl.cmake
# says what is set; here BackendWolfssl_ARCHIVE too, a static wolfSSL in PORTLS_WOLFSSL_PREFIX: a
# static portls is installed together with it.
# Another one than the system's is named by
#   PORTLS_WOLFSSL_PREFIX       where it is installed (lib/pkgconfig/wolfssl.pc), or CMAKE_PREFIX_PATH
#   PORTLS_WOLFSSL_FROM_SOURCE  ON: build one there first, by cmake/wolfssl-from-source.cmake; without
#                               a prefix in the build tree
#   PORTLS_WOLFSSL_SETTINGS     with this user_settings.h
set(BackendWolfssl_TARGET portls::wolfssl)
set(BackendWolfssl_LIBRARY_TEXT "wolfSSL 5.5 or later with its headers and its pkg-config file")
set(BackendWolfssl_DEBIAN "libwolfssl-dev")
set(BackendWolfssl_PKGCONFIG "wolfssl")

set(PORTLS_WOLFSSL_PREFIX "" CACHE PATH "Where a wolfSSL other than the system's is installed")
option(PORTLS_WOLFSSL_FROM_SOURCE
    "Build wolfSSL from Debian's source, without its OpenSSL layer, into PORTLS_WOLFSSL_PREFIX" OFF)

set(PORTLS_WOLFSSL_SETTINGS "" CACHE STRING
    "The user_settings.h of the wolfSSL that PORTLS_WOLFSSL_FROM_SOURCE builds, and files to append to it; empty: cmake/wolfssl/user_settings.h, without an operating system cmake/wolfssl/bare/user_settings.h")

if(PORTLS_WOLFSSL_FROM_SOURCE)
    if(NOT PORTLS_WOLFSSL_PREFIX)
        set(PORTLS_WOLFSSL_PREFIX "${PROJECT_BINARY_DIR}/wolfssl")
    endif()
    set(_portls_settings ${PORTLS_WOLFSSL_SETTINGS})
    if(NOT _portls_settings AND CMAKE_SYSTEM_NAME STREQUAL "Generic")
        set(_portls_settings "${CMAKE_CURRENT_LIST_DIR}/wolfssl/bare/user_settings.h")
    endif()
    set(_portls_build_type Release)
    if(CMAKE_BUILD_TYPE STREQUAL "MinSizeRel")
        set(_portls_build_type MinSizeRel)
    endif()
    get_filename_component(_portls_downloads "${PORTLS_WOLFSSL_PREFIX}" DIRECTORY)
    execute_process(COMMAND "${CMAKE_COMMAND}" -D "PREFIX=${PORTLS_WOLFSSL_PREFIX}"
        -D "COMPILER=${CMAKE_C_COMPILER}" -D "TOOLCHAIN=${CMAKE_TOOLCHAIN_FILE}"
        -D "SETTINGS=${_portls_settings}" -D "BUILD_TYPE=${_portls_build_type}"
        -D "DOWNLOADS=${_portls_downloads}/wolfssl-source"
        -P "${CMAKE_CURRENT_LIST_DIR}/wolfssl-from-source.cmake" COMMAND_ERROR_IS_FATAL ANY)
endif()

find_package(PkgConfig QUIET)
set(_portls_prefix_path "${CMAKE_PREFIX_PATH}")
set(_portls_root_path "${CMAKE_FIND_ROOT_PATH}")
if(PORTLS_WOLFSSL_PREFIX)
    list(PREPEND CMAKE_PREFIX_PATH "${PORTLS_WOLFSSL_PREFIX}")
    if(CMAKE_FIND_ROOT_PATH)
        list(PREPEND CMAKE_FIND_ROOT_PATH "${PORTLS_WOLFSSL_PREFIX}")
    endif()
endif()
if(PKG_CONFIG_FOUND)
    pkg_check_modules(WOLFSSL QUIET IMPORTED_TARGET GLOBAL wolfssl>=5.5)
endif()
set(CMAKE_PREFIX_PATH "${_portls_prefix_path}")
set(CMAKE_FIND_ROOT_PATH "${_portls_root_path}")
unset(_portls_prefix_path)
unset(_portls_root_path)

set(BackendWolfssl_ARCHIVE "")
if(PORTLS_WOLFSSL_PREFIX)
    set(BackendWolfssl_ARCHIVE "${WOLFSSL_LINK_LIBRARIES}")
    list(FILTER BackendWolfssl_ARCHIVE INCLUDE REGEX "libwolfssl\\.a$")
endif()
if(TARGET PkgConfig::WOLFSSL AND NOT TARGET portls::wolfssl)
    add_library(portls::wolfssl INTERFACE IMPORTED GLOBAL)
    target_link_libraries(portls::wolfssl INTERFACE PkgConfig::WOLFSSL)
    if(WOLFSSL_LINK_LIBRARIES MATCHES "libwolfssl\\.a" AND NOT APPLE)
        # A shared library does not export what a static wolfSSL brings into it.
        target_link_options(portls::wolfssl INTERFACE
            "$<$<IN_LIST:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY;MODULE_LIBRARY>:LINKER:--exclude-libs,libwolfssl.a>")
    endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BackendWolfssl
    REQUIRED_VARS WOLFSSL_LINK_LIBRARIES
    VERSION_VAR WOLFSSL_VERSION)
