# What a user of the build may choose. `cmake -LH -B build` lists it.
include(CMakeDependentOption)

set(PORTLS_BACKEND "openssl" CACHE STRING
    "The TLS library that portls::portls stands on: openssl, libtls or wolfssl")
set(PORTLS_BACKENDS "" CACHE STRING
    "The backends to build: a list, or 'all' for those whose library is found; empty: the chosen one")
set(PORTLS_BACKEND_LINKAGE "linked" CACHE STRING
    "linked: the library links the TLS library; loaded: it opens a module that does, on first use")
set_property(CACHE PORTLS_BACKEND_LINKAGE PROPERTY STRINGS linked loaded)
option(PORTLS_WITH_SOCKETS "Connect, listen, accept, and ports from descriptors" ON)
option(PORTLS_WITH_FILES "Calls that take a path, and the system's trusted roots" ON)
option(PORTLS_WITH_THREADS "Calls from more than one thread" ON)
option(PORTLS_WITH_WAITING "Calls that wait; without, only those that return at once" ON)
option(PORTLS_WITH_ON_ERROR "The procedure that is told of errors, beside the call that returns them" ON)
option(PORTLS_WITH_PEM "Certificates and keys in PEM; without, only from memory, in DER" ON)
option(PORTLS_WITH_MESSAGES "Errors with a text; without, only with what a program can ask for" ON)
set(PORTLS_SHARED "" CACHE STRING
    "ON: a shared library, OFF: a static one; empty: as BUILD_SHARED_LIBS says, shared by default, static in another project")
option(PORTLS_LTO "Optimise a static library as a whole when it is linked, by GCC" OFF)
option(PORTLS_WERROR "Make every warning an error" OFF)
option(PORTLS_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
# The command, the examples and the benchmark use all of the library.
cmake_dependent_option(PORTLS_TOOLS "Build the command portls" ${PROJECT_IS_TOP_LEVEL}
    "PORTLS_WITH_SOCKETS;PORTLS_WITH_FILES;PORTLS_WITH_THREADS" OFF)
cmake_dependent_option(PORTLS_EXAMPLES "Build the examples" ${PROJECT_IS_TOP_LEVEL}
    "PORTLS_WITH_SOCKETS;PORTLS_WITH_FILES;PORTLS_WITH_THREADS" OFF)
cmake_dependent_option(PORTLS_BENCH "Build the benchmark" OFF
    "PORTLS_WITH_SOCKETS;PORTLS_WITH_FILES;PORTLS_WITH_THREADS" OFF)
option(PORTLS_INSTALL "Have the target install" ${PROJECT_IS_TOP_LEVEL})
set(PORTLS_SANITIZE "" CACHE STRING
    "Sanitizers to build with, as the compiler spells them: address,undefined")
set(PORTLS_SYSROOT "" CACHE PATH
    "Where Debian's libraries for another machine are, see cmake/toolchains/debian-cross.cmake")
set(PORTLS_SYSROOT_ARCHITECTURE "" CACHE STRING "Debian's name of that machine: armhf, arm64")
set(PORTLS_SYSROOT_PACKAGES "" CACHE STRING
    "The packages that cmake/debian-sysroot.cmake is to unpack there first; empty: it is as it should be")
option(PORTLS_FIRMWARE "Build examples/bare-metal, for the board that QEMU has" OFF)
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
if(PORTLS_BACKEND_LINKAGE STREQUAL "loaded" AND NOT PORTLS_WITH_FILES)
    message(FATAL_ERROR "PORTLS_BACKEND_LINKAGE=loaded needs PORTLS_WITH_FILES=ON: the backend is "
        "loaded from a file. Without files it has to be linked")
endif()
if(PORTLS_LTO AND (BUILD_SHARED_LIBS OR NOT CMAKE_C_COMPILER_ID STREQUAL "GNU"))
    message(FATAL_ERROR "PORTLS_LTO=ON is for a static library (BUILD_SHARED_LIBS=OFF) and for GCC")
endif()
if(WIN32 AND PORTLS_BACKEND_LINKAGE STREQUAL "loaded")
    message(FATAL_ERROR "PORTLS_BACKEND_LINKAGE=loaded is not there on Windows: leave it at linked")
endif()
if(WIN32 AND PORTLS_WITH_SOCKETS AND NOT PORTLS_WITH_THREADS)
    message(FATAL_ERROR "PORTLS_WITH_SOCKETS=ON needs PORTLS_WITH_THREADS=ON on Windows: a thread "
        "per listener waits for its sockets. Leave threads on, or sockets off")
endif()
if((PORTLS_VALGRIND AND PORTLS_SANITIZE) OR (PORTLS_HELGRIND AND (PORTLS_VALGRIND OR PORTLS_SANITIZE)))
    message(FATAL_ERROR
        "PORTLS_VALGRIND, PORTLS_HELGRIND and PORTLS_SANITIZE exclude each other: choose one")
endif()
if(PORTLS_WITH_FILES AND NOT PORTLS_WITH_PEM)
    message(FATAL_ERROR "PORTLS_WITH_PEM=OFF needs PORTLS_WITH_FILES=OFF: files are in PEM")
endif()

set(PORTLS_SEND_SIZE 4096 CACHE STRING
    "With no sockets, files and threads: bytes of a connection's buffer for what leaves, which is one \
record, or a flight of the handshake that cannot leave at once")

# What is off; api/portls/features.h takes everything else to be on.
set(PORTLS_FEATURES SOCKETS FILES THREADS)
set(PORTLS_FEATURES_OFF "")
foreach(_feature IN LISTS PORTLS_FEATURES)
    if(NOT PORTLS_WITH_${_feature})
        list(APPEND PORTLS_FEATURES_OFF ${_feature})
    endif()
endforeach()
# And what may be left out without a call less.
set(PORTLS_LUXURIES_OFF "")
foreach(_feature IN ITEMS MESSAGES PEM)
    if(NOT PORTLS_WITH_${_feature})
        list(APPEND PORTLS_LUXURIES_OFF ${_feature})
    endif()
endforeach()
if(PORTLS_FEATURES_OFF STREQUAL PORTLS_FEATURES)
    set(PORTLS_WITH_SYSTEM OFF)
else()
    set(PORTLS_WITH_SYSTEM ON)
endif()
# These only where there is no system; and the suites use them.
foreach(_feature IN ITEMS WAITING ON_ERROR)
    if(NOT PORTLS_WITH_${_feature})
        if(PORTLS_WITH_SYSTEM OR PORTLS_TESTS)
            message(FATAL_ERROR "PORTLS_WITH_${_feature}=OFF needs PORTLS_WITH_SOCKETS, "
                "PORTLS_WITH_FILES, PORTLS_WITH_THREADS and PORTLS_TESTS to be OFF")
        endif()
        list(APPEND PORTLS_FEATURES_OFF ${_feature})
    endif()
endforeach()
set(PORTLS_FEATURE_DEFINITIONS ${PORTLS_FEATURES_OFF} ${PORTLS_LUXURIES_OFF})
list(TRANSFORM PORTLS_FEATURE_DEFINITIONS REPLACE "(.+)" "PORTLS_WITH_\\1=0")
add_compile_definitions(${PORTLS_FEATURE_DEFINITIONS})
if(NOT PORTLS_WITH_SYSTEM)
    add_compile_definitions(PORTLS_SEND_SIZE=${PORTLS_SEND_SIZE})
endif()

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
