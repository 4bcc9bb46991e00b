# Finds what backends/openssl uses. Installed with the CMake package, whose static library
# needs it. Every FindBackend<Name> sets:
#   Backend<Name>_FOUND
#   Backend<Name>_TARGET        the target to link
#   Backend<Name>_LIBRARY_TEXT  what is needed, in words
#   Backend<Name>_DEBIAN        the Debian package with headers
#   Backend<Name>_PKGCONFIG     the pkg-config modules a static library needs
set(BackendOpenssl_TARGET OpenSSL::SSL)
set(BackendOpenssl_LIBRARY_TEXT "OpenSSL 3.0 or later with its headers")
set(BackendOpenssl_DEBIAN "libssl-dev")
set(BackendOpenssl_PKGCONFIG "libssl libcrypto")

find_package(OpenSSL 3.0 QUIET)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BackendOpenssl
    REQUIRED_VARS OPENSSL_SSL_LIBRARY OPENSSL_CRYPTO_LIBRARY OPENSSL_INCLUDE_DIR
    VERSION_VAR OPENSSL_VERSION)
if(NOT OPENSSL_FOUND)
    set(BackendOpenssl_FOUND FALSE)
endif()
