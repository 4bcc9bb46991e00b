# What a user of the build may choose. `cmake -LH -B build` lists it.
include(CMakeDependentOption)

set(PORTLS_BACKEND "openssl" CACHE STRING
    "The TLS library below portls::portls: openssl, libtls or wolfssl")
set(PORTLS_BACKENDS "" CACHE STRING
    "The backends to build: a list, or 'all' for those whose library is found; empty: the chosen one")
set(PORTLS_BACKEND_LINKAGE "linked" CACHE STRING
    "linked: the library links the TLS library; loaded: it opens a module that does, on first use")
set_property(CACHE PORTLS_BACKEND_LINKAGE PROPERTY STRINGS linked loaded)
set(PORTLS_OS "" CACHE STRING
    "none: a bare build, for a machine without an operating system; empty: a hosted one")
set_property(CACHE PORTLS_OS PROPERTY STRINGS "" none)
if(NOT PORTLS_OS MATCHES "^(none)?$")
    message(FATAL_ERROR "PORTLS_OS is '${PORTLS_OS}': use none, or leave it empty for a hosted build")
endif()
if(PORTLS_OS STREQUAL "none")
    set(PORTLS_HOSTED OFF)
else()
    set(PORTLS_HOSTED ON)
endif()
option(PORTLS_WITH_MESSAGES "Errors have a text; OFF, with PORTLS_OS=none only: they have none" ON)
set(PORTLS_SHARED "" CACHE STRING
    "ON: a shared library, OFF: a static one; empty: as BUILD_SHARED_LIBS says, shared by default, static in another project")
option(PORTLS_WERROR "Make every warning an error" OFF)
option(PORTLS_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
# The command, the examples and the benchmark use all of the library.
cmake_dependent_option(PORTLS_TOOLS "Build the command portls" ${PROJECT_IS_TOP_LEVEL}
    "PORTLS_HOSTED" OFF)
cmake_dependent_option(PORTLS_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL}
    "PORTLS_HOSTED" OFF)
cmake_dependent_option(PORTLS_BENCH "Build the benchmark" OFF
    "PORTLS_HOSTED" OFF)
cmake_dependent_option(PORTLS_FUZZ "Build the fuzz programs: Clang and libFuzzer, see the preset fuzz" OFF
    "PORTLS_HOSTED" OFF)
option(PORTLS_INSTALL "Have the target install" ${PROJECT_IS_TOP_LEVEL})
set(PORTLS_SANITIZE "" CACHE STRING
    "Sanitizers to build with, as the compiler spells them: address,undefined")
set(PORTLS_SYSROOT "" CACHE PATH
    "Where Debian's libraries for another machine are, see cmake/toolchains/debian-cross.cmake")
set(PORTLS_SYSROOT_ARCHITECTURE "" CACHE STRING "Debian's name of that machine: armhf, arm64")
set(PORTLS_SYSROOT_PACKAGES "" CACHE STRING
    "The packages that cmake/debian-sysroot.cmake is to unpack there first; empty: it is as it should be")
option(PORTLS_VALGRIND "Run the spec suites under valgrind" OFF)
option(PORTLS_HELGRIND "Run the stress test, and only that, under valgrind's helgrind" OFF)

# A normal variable, seen in this directory and below: a parent project keeps its own.
if(NOT PORTLS_SHARED STREQUAL "")
    set(BUILD_SHARED_LIBS ${PORTLS_SHARED})
elseif(NOT DEFINED BUILD_SHARED_LIBS)
    set(BUILD_SHARED_LIBS ${PROJECT_IS_TOP_LEVEL})
endif()

if(NOT PORTLS_BACKEND_LINKAGE MATCHES "^(linked|loaded)$")
    message(FATAL_ERROR
        "PORTLS_BACKEND_LINKAGE is '${PORTLS_BACKEND_LINKAGE}', it has to be linked or loaded")
endif()
if(PORTLS_BACKEND_LINKAGE STREQUAL "loaded" AND NOT PORTLS_HOSTED)
    message(FATAL_ERROR "PORTLS_BACKEND_LINKAGE=loaded needs a hosted build: the backend is loaded from "
        "a file. With PORTLS_OS=none leave it at linked")
endif()
if(PORTLS_HOSTED AND NOT PORTLS_WITH_MESSAGES)
    message(FATAL_ERROR "PORTLS_WITH_MESSAGES=OFF needs PORTLS_OS=none")
endif()
if(WIN32 AND PORTLS_BACKEND_LINKAGE STREQUAL "loaded")
    message(FATAL_ERROR "PORTLS_BACKEND_LINKAGE=loaded is not there on Windows: leave it at linked")
endif()
if((PORTLS_VALGRIND AND PORTLS_SANITIZE) OR (PORTLS_HELGRIND AND (PORTLS_VALGRIND OR PORTLS_SANITIZE)))
    message(FATAL_ERROR
        "PORTLS_VALGRIND, PORTLS_HELGRIND and PORTLS_SANITIZE exclude each other: choose one")
endif()
set(PORTLS_SEND_SIZE 4096 CACHE STRING
    "With PORTLS_OS=none: bytes of a connection's buffer for what leaves, which is one \
record, or a flight of the handshake that cannot leave at once")

# What differs from api/portls/features.h.
set(PORTLS_FEATURE_DEFINITIONS "")
if(NOT PORTLS_HOSTED)
    list(APPEND PORTLS_FEATURE_DEFINITIONS PORTLS_HOSTED=0)
    add_compile_definitions(PORTLS_SEND_SIZE=${PORTLS_SEND_SIZE})
endif()
if(NOT PORTLS_WITH_MESSAGES)
    list(APPEND PORTLS_FEATURE_DEFINITIONS PORTLS_WITH_MESSAGES=0)
endif()
add_compile_definitions(${PORTLS_FEATURE_DEFINITIONS})

if(PORTLS_SYSROOT_PACKAGES)
    execute_process(COMMAND "${CMAKE_COMMAND}" -D "SYSROOT=${PORTLS_SYSROOT}"
        -D "ARCHITECTURE=${PORTLS_SYSROOT_ARCHITECTURE}" -D "PACKAGES=${PORTLS_SYSROOT_PACKAGES}"
        -P "${CMAKE_CURRENT_LIST_DIR}/debian-sysroot.cmake" COMMAND_ERROR_IS_FATAL ANY)
endif()

if(PROJECT_IS_TOP_LEVEL)
    if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
        set(CMAKE_BUILD_TYPE "RelWithDebInfo" CACHE STRING "Debug, Release, RelWithDebInfo" FORCE)
    endif()
    # Library and module lie side by side in the build tree, so that a loaded backend is found there.
    set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
    set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
    set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
    set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
endif()
