# Builds and runs the consumer with what pkg-config says of the installed tree.
cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${SCRATCH}")
file(MAKE_DIRECTORY "${SCRATCH}")
set(ENV{PKG_CONFIG_PATH} "${PREFIX}/${LIBDIR}/pkgconfig")

function(ask variable)
    execute_process(COMMAND "${PKG_CONFIG}" ${ARGN} portls${SUFFIX}
        OUTPUT_VARIABLE output OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(output UNIX_COMMAND "${output}")
    set(${variable} "${output}" PARENT_SCOPE)
endfunction()

ask(version --modversion)
if(NOT version STREQUAL VERSION)
    message(FATAL_ERROR "portls.pc says version ${version}, it has to be ${VERSION}")
endif()
set(static --static)
if(SHARED)
    set(static "")
    ask(private --static --libs)
    ask(public --libs)
    if(NOT private STREQUAL public)
        message(FATAL_ERROR "portls.pc of a shared library asks for more when linked statically, "
            "but there is no static library")
    endif()
endif()
ask(cflags --cflags)
ask(libs ${static} --libs)

set(flags "")
if(SANITIZE)
    set(flags "-fsanitize=${SANITIZE}")
endif()
execute_process(COMMAND "${COMPILER}" -std=c11 ${flags} ${cflags} "${SOURCE}/consumer.c"
    -o "${SCRATCH}/consumer" "-Wl,-rpath,${PREFIX}/${LIBDIR}" ${libs} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${SCRATCH}/consumer" "${BACKEND}" "${VERSION}"
    COMMAND_ERROR_IS_FATAL ANY)
if(OWN_WOLFSSL AND BACKEND STREQUAL "wolfssl")
    # Not the system's, which may be installed as well.
    file(STRINGS "${SCRATCH}/consumer" shared REGEX "libwolfssl\\.so")
    if(shared)
        message(FATAL_ERROR "The consumer links a shared wolfSSL: ${shared}")
    endif()
endif()
