# Installs the build tree to an empty prefix and looks for what a user expects there.
cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${PREFIX}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${PREFIX}"
    COMMAND_ERROR_IS_FATAL ANY)

set(expected include/portls/portls.h "${LIBDIR}/cmake/portls/portlsConfig.cmake"
    "${LIBDIR}/cmake/portls/portlsConfigVersion.cmake" "${LIBDIR}/pkgconfig/portls.pc")
foreach(path IN LISTS expected)
    if(NOT EXISTS "${PREFIX}/${path}")
        message(SEND_ERROR "${path} was not installed")
    endif()
endforeach()

# A user sees the public headers and nothing of the inside; no path of the build tree is left over.
file(GLOB_RECURSE headers RELATIVE "${PREFIX}/include" "${PREFIX}/include/*")
list(FILTER headers EXCLUDE REGEX "^portls/[a-z_]+\\.h$")
if(headers)
    message(SEND_ERROR "Installed beside the public headers: ${headers}")
endif()
file(GLOB texts "${PREFIX}/${LIBDIR}/cmake/portls/*.cmake" "${PREFIX}/${LIBDIR}/pkgconfig/*.pc")
foreach(path IN LISTS texts)
    file(READ "${path}" text)
    string(REPLACE "${PREFIX}" "" text "${text}")
    string(FIND "${text}" "${BUILD}" place)
    if(NOT place EQUAL -1)
        message(SEND_ERROR "${path} names the build tree ${BUILD}")
    endif()
endforeach()
