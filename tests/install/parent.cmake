# Builds a project with portls inside it, installs it, runs its program, and builds the consumer with
# its package. SHARED is what the parent asks of portls, empty: nothing.
cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${SCRATCH}")
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${PARENT}" -B "${SCRATCH}/build" -G "${GENERATOR}"
    -D "CMAKE_C_COMPILER=${COMPILER}" -D "CMAKE_BUILD_TYPE=Release"
    -D "CMAKE_INSTALL_PREFIX=${SCRATCH}/prefix"
    -D "PORTLS_SOURCE=${PORTLS}" -D "PORTLS_WANTED=${VERSION}" -D "PORTLS_BACKEND=${BACKEND}"
    -D "PORTLS_BACKEND_LINKAGE=${LINKAGE}" -D "PORTLS_SHARED=${SHARED}" -D "PORTLS_INSTALL=ON"
    COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS "${SCRATCH}/build/CMakeCache.txt" shared REGEX "^BUILD_SHARED_LIBS:")
if(shared)
    message(FATAL_ERROR "portls has put ${shared} into the cache of its parent")
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${SCRATCH}/build" --parallel 2
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${SCRATCH}/build" COMMAND_ERROR_IS_FATAL ANY)

file(GLOB libraries "${SCRATCH}/prefix/lib*/libportls-*.so")
if(SHARED AND NOT libraries OR NOT SHARED AND libraries)
    message(FATAL_ERROR "Asked for PORTLS_SHARED='${SHARED}', shared libraries are '${libraries}'")
endif()
# What is installed has to do without the build tree.
file(RENAME "${SCRATCH}/build" "${SCRATCH}/away")
execute_process(COMMAND "${SCRATCH}/prefix/bin/parent-program" "${BACKEND}" "${VERSION}"
    COMMAND_ERROR_IS_FATAL ANY)
set(PREFIX "${SCRATCH}/prefix")
set(SCRATCH "${SCRATCH}/consumer")
set(PACKAGE parent)
set(TARGET parent::parent)
include("${CMAKE_CURRENT_LIST_DIR}/cmake-package.cmake")
