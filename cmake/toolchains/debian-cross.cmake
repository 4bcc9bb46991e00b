# What the toolchain files of Debian's cross compilers have in common; they set
# CMAKE_LIBRARY_ARCHITECTURE first. PORTLS_SYSROOT: see there.
set(CMAKE_FIND_ROOT_PATH "/usr/${CMAKE_LIBRARY_ARCHITECTURE}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# pkg-config knows the sysroot's files only, or none.
set(ENV{PKG_CONFIG_LIBDIR} "/usr/${CMAKE_LIBRARY_ARCHITECTURE}/lib/pkgconfig")
set(ENV{PKG_CONFIG_PATH} "")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES PORTLS_SYSROOT)
if(PORTLS_SYSROOT)
    list(PREPEND CMAKE_FIND_ROOT_PATH "${PORTLS_SYSROOT}")
    set(ENV{PKG_CONFIG_LIBDIR}
        "${PORTLS_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/pkgconfig:${PORTLS_SYSROOT}/usr/share/pkgconfig")
    set(ENV{PKG_CONFIG_SYSROOT_DIR} "${PORTLS_SYSROOT}")
    # Debian keeps what differs between machines, as openssl/opensslconf.h, in a folder of its own.
    set(_portls_include "-isystem ${PORTLS_SYSROOT}/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}")
    string(APPEND _portls_include " -isystem ${PORTLS_SYSROOT}/usr/include")
    set(CMAKE_C_FLAGS_INIT "${_portls_include}")
    # Where the libraries find each other, for the linker and for qemu.
    set(_portls_libraries "${PORTLS_SYSROOT}/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}")
    set(_portls_link "-Wl,-rpath-link,${_portls_libraries}")
    set(CMAKE_EXE_LINKER_FLAGS_INIT "${_portls_link}")
    set(CMAKE_SHARED_LINKER_FLAGS_INIT "${_portls_link}")
    list(APPEND CMAKE_CROSSCOMPILING_EMULATOR -E "LD_LIBRARY_PATH=${_portls_libraries}")
endif()
