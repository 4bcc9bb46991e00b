# Finds what backends/openssl uses. Installed with the CMake package, whose static library
# needs it. Every FindBackend<Name> sets:
#   Backend<Name>_FOUND
#   Backend<Name>_TARGET        the target to link
#   Backend<Name>_LIBRARY_TEXT  what is needed, in words
#   Backend<Name>_DEBIAN        the Debian package with headers
#   Backend<Name>_PKGCONFIG     the pkg-config modules a static library needs
set(BackendOpenssl_TARGET OpenSSL::SSL)
set(BackendOpenssl_LIBRARY_TEXT "OpenSSL 3.0 or later, or LibreSSL, with its headers")
set(BackendOpenssl_DEBIAN "libssl-dev")
set(BackendOpenssl_PKGCONFIG "libssl libcrypto")

find_package(OpenSSL QUIET)
# LibreSSL, which CMAKE_PREFIX_PATH or OPENSSL_ROOT_DIR names, calls itself OpenSSL 2.0.
set(_libressl "")
if(OPENSSL_FOUND AND OPENSSL_VERSION VERSION_LESS 3.0)
    file(STRINGS "${OPENSSL_INCLUDE_DIR}/openssl/opensslv.h" _libressl REGEX "LIBRESSL_VERSION_NUMBER")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BackendOpenssl
    REQUIRED_VARS OPENSSL_SSL_LIBRARY OPENSSL_CRYPTO_LIBRARY OPENSSL_INCLUDE_DIR
    VERSION_VAR OPENSSL_VERSION)
if(NOT OPENSSL_FOUND OR (OPENSSL_VERSION VERSION_LESS 3.0 AND NOT _libressl))
    set(BackendOpenssl_FOUND FALSE)
endif()
