# Builds and runs the consumer with find_package(portls) on the installed tree.
cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE "${SCRATCH}")
set(flags "")
if(SANITIZE)
    set(flags "-fsanitize=${SANITIZE}")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${SOURCE}" -B "${SCRATCH}" -G "${GENERATOR}"
    -D "CMAKE_C_COMPILER=${COMPILER}" -D "CMAKE_C_FLAGS=${flags}" -D "CMAKE_PREFIX_PATH=${PREFIX}"
    -D "PORTLS_WANTED=${VERSION}" -D "PORTLS_TARGET=portls::portls${SUFFIX}"
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${SCRATCH}" COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${SCRATCH}/consumer" "${BACKEND}" "${VERSION}"
    COMMAND_ERROR_IS_FATAL ANY)
