# Fails unless the library of a loaded backend can start without the TLS library: it must need
# nothing but the C library, and the module must be the one that needs more.
#   cmake -D READELF=readelf -D FILE=libportls-openssl.so -D MODULE=portls-backend-openssl.so -P …
cmake_minimum_required(VERSION 3.22)

function(needed file variable)
    execute_process(COMMAND "${READELF}" --dynamic --wide "${file}"
        OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "\\(NEEDED\\)[^\n]*" lines "${output}")
    set(names "")
    foreach(line IN LISTS lines)
        if(line MATCHES ": .(.*).$")
            list(APPEND names "${CMAKE_MATCH_1}")
        endif()
    endforeach()
    list(FILTER names EXCLUDE REGEX "^(libc|libpthread|libdl|libm|ld-linux[^.]*)\\.so")
    set(${variable} "${names}" PARENT_SCOPE)
endfunction()

needed("${FILE}" library_needs)
needed("${MODULE}" module_needs)
if(library_needs)
    message(FATAL_ERROR "${FILE} needs ${library_needs}: a loaded backend must not be linked to it")
endif()
if(NOT module_needs)
    message(FATAL_ERROR "${MODULE} needs no library: a backend has to link its TLS library")
endif()
message(STATUS "${FILE} needs the C library only; ${MODULE} needs ${module_needs}")
