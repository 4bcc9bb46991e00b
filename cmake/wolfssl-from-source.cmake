# Builds a static wolfSSL from Debian's source package, with cmake/wolfssl/user_settings.h and so
# without its OpenSSL layer:
#   cmake -D PREFIX=<directory> -P cmake/wolfssl-from-source.cmake
# installs library, headers and wolfssl.pc there; -DPORTLS_WOLFSSL_PREFIX=<directory> then finds it.
# Nothing is done when it is there and was made with the same parameters. More of them:
#   -D SOURCE=<directory>      an unpacked wolfSSL; else `apt-get source` fetches it
#   -D SETTINGS=<file;…>       another user_settings.h, and files to append to it
#   -D COMPILER=<cc>           the C compiler
#   -D FLAGS="<flags>"         its flags
#   -D LIBRARIES="<-l...>"     what programs link beside it, where the system's libc is not enough
#   -D TOOLCHAIN=<file>        a CMake toolchain file, for another machine
#   -D BUILD_TYPE=<type>       Release unless said otherwise
#   -D WORK=<directory>        where it is built; <PREFIX>-work unless said otherwise
#   -D DOWNLOADS=<directory>   where the source is fetched to and unpacked; WORK unless said otherwise
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/DebianArchive.cmake")

if(NOT PREFIX)
    message(FATAL_ERROR "Say where to install it: cmake -D PREFIX=<directory> -P "
        "cmake/wolfssl-from-source.cmake")
endif()
get_filename_component(PREFIX "${PREFIX}" ABSOLUTE)
if(NOT WORK)
    set(WORK "${PREFIX}-work")
endif()
get_filename_component(WORK "${WORK}" ABSOLUTE)
if(NOT DOWNLOADS)
    set(DOWNLOADS "${WORK}")
endif()
get_filename_component(DOWNLOADS "${DOWNLOADS}" ABSOLUTE)
if(NOT SETTINGS)
    set(SETTINGS "${CMAKE_CURRENT_LIST_DIR}/wolfssl/user_settings.h")
endif()
if(NOT BUILD_TYPE)
    set(BUILD_TYPE Release)
endif()

set(settings_text "")
foreach(file IN LISTS SETTINGS)
    file(READ "${file}" text)
    string(APPEND settings_text "${text}")
endforeach()
string(SHA256 settings_hash "${settings_text}")
file(SHA256 "${CMAKE_CURRENT_LIST_DIR}/wolfssl/CMakeLists.txt" recipe_hash)
set(toolchain_hash "")
if(TOOLCHAIN)
    file(SHA256 "${TOOLCHAIN}" toolchain_hash)
endif()
set(stamp_text
    "${settings_hash};${recipe_hash};${toolchain_hash};${SOURCE};${COMPILER};${FLAGS};${LIBRARIES};${TOOLCHAIN};${BUILD_TYPE}")
set(stamp "${PREFIX}/portls-wolfssl.stamp")
if(EXISTS "${stamp}")
    file(READ "${stamp}" old_text)
    if(old_text STREQUAL stamp_text)
        message(STATUS "wolfSSL: ${PREFIX} is up to date")
        return()
    endif()
endif()
file(REMOVE "${stamp}")

function(run what advice)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${WORK}" RESULT_VARIABLE result
        OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(NOTICE "${output}")
        message(FATAL_ERROR "wolfSSL: ${what} failed (${result}), see above. ${advice}")
    endif()
endfunction()

# Fetches and unpacks the source package; apt checks its signature. Sets SOURCE.
function(fetch_source)
    file(GLOB unpacked LIST_DIRECTORIES TRUE "${DOWNLOADS}/wolfssl-*")
    foreach(directory IN LISTS unpacked)
        if(EXISTS "${directory}/wolfssl/ssl.h")
            set(SOURCE "${directory}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    find_program(APT_GET apt-get)
    find_program(DPKG_SOURCE dpkg-source)
    if(NOT APT_GET OR NOT DPKG_SOURCE)
        message(FATAL_ERROR "wolfSSL: fetching its source needs Debian's apt-get and dpkg-source "
            "(apt-get install dpkg-dev). Elsewhere unpack wolfSSL by hand and name it with "
            "-D SOURCE=<directory>")
    endif()
    file(MAKE_DIRECTORY "${DOWNLOADS}")
    portls_apt_get("${DOWNLOADS}/apt" deb-src "" apt_get)
    set(advice "Is this machine connected? An unpacked wolfSSL can be named with -D SOURCE=<directory>")
    run("apt-get update" "${advice}" ${apt_get} update)
    run("apt-get source" "${advice}" "${CMAKE_COMMAND}" -E chdir "${DOWNLOADS}" ${apt_get} source wolfssl)
    file(GLOB unpacked LIST_DIRECTORIES TRUE "${DOWNLOADS}/wolfssl-*/wolfssl")
    list(GET unpacked 0 directory)
    get_filename_component(directory "${directory}" DIRECTORY)
    set(SOURCE "${directory}" PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY "${WORK}")
file(WRITE "${WORK}/settings/user_settings.h" "${settings_text}")
if(NOT SOURCE)
    message(STATUS "wolfSSL: fetching the source")
    fetch_source()
endif()
get_filename_component(SOURCE "${SOURCE}" ABSOLUTE)

set(arguments "")
if(COMPILER)
    list(APPEND arguments "-DCMAKE_C_COMPILER=${COMPILER}")
endif()
if(FLAGS)
    # Else those of the toolchain file.
    list(APPEND arguments "-DCMAKE_C_FLAGS=${FLAGS}")
endif()
if(TOOLCHAIN)
    get_filename_component(TOOLCHAIN "${TOOLCHAIN}" ABSOLUTE)
    list(APPEND arguments "-DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN}")
endif()
find_program(NINJA NAMES ninja ninja-build)
if(NINJA)
    list(APPEND arguments -G Ninja)
endif()

# A build tree remembers its compiler: begin anew.
file(REMOVE_RECURSE "${WORK}/build")
message(STATUS "wolfSSL: building ${SOURCE}")
run(configure "" "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/wolfssl" -B "${WORK}/build"
    ${arguments} "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}"
    "-DCMAKE_INSTALL_PREFIX=${PREFIX}" -DCMAKE_INSTALL_LIBDIR=lib
    "-DWOLFSSL_SOURCE=${SOURCE}" "-DWOLFSSL_SETTINGS=${WORK}/settings/user_settings.h" "-DWOLFSSL_LIBRARIES=${LIBRARIES}")
run(build "" "${CMAKE_COMMAND}" --build "${WORK}/build" --parallel 2)
run(install "" "${CMAKE_COMMAND}" --install "${WORK}/build")
file(WRITE "${stamp}" "${stamp_text}")
message(STATUS "wolfSSL: installed in ${PREFIX}")
