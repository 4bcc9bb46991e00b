# Builds and runs the consumer with find_package(PACKAGE) on the installed tree, and with its TARGET.
cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${SCRATCH}")
set(flags "")
if(SANITIZE)
    set(flags "-fsanitize=${SANITIZE}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${SCRATCH}" -G "${GENERATOR}"
    -D "CMAKE_C_COMPILER=${COMPILER}" -D "CMAKE_C_FLAGS=${flags}" -D "CMAKE_PREFIX_PATH=${PREFIX}"
    -D "PACKAGE=${PACKAGE}" -D "WANTED=${VERSION}"
    -D "TARGET=${TARGET}"
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${SCRATCH}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${SCRATCH}/consumer" "${BACKEND}" "${VERSION}"
    COMMAND_ERROR_IS_FATAL ANY)
if(OWN_WOLFSSL AND BACKEND STREQUAL "wolfssl")
    # Not the system's, which may be installed as well.
    file(STRINGS "${SCRATCH}/consumer" shared REGEX "libwolfssl\\.so")
    if(shared)
        message(FATAL_ERROR "The consumer links a shared wolfSSL: ${shared}")
    endif()
endif()
