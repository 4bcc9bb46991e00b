# Fails unless api/symbols.list names exactly the functions that the headers declare PORTLS_API:
#   cmake -D ROOT=<source tree> -D COMPILER=cc -P headers.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND "${COMPILER}" -E -P -I "${ROOT}/api"
    -x c "${ROOT}/api/portls/portls.h"
    OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS "${ROOT}/api/symbols.list" listed)

# Functions are read from the headers themselves, where PORTLS_API still stands before each.
file(GLOB headers "${ROOT}/api/portls/*.h")
set(declared "")
foreach(header IN LISTS headers)
    file(READ "${header}" source)
    string(REGEX REPLACE "[[;]" "\n" source "${source}")
    string(REGEX MATCHALL "\nPORTLS_API[^(]*\\(" declarations "${source}")
    foreach(declaration IN LISTS declarations)
        if(declaration MATCHES "(portls_[a-z0-9_]+)[ \n]*\\($")
            list(APPEND declared "${CMAKE_MATCH_1}")
        endif()
    endforeach()
endforeach()
list(SORT declared)

foreach(function IN LISTS declared)
    if(NOT function IN_LIST listed)
        message(SEND_ERROR "${function} is declared PORTLS_API, but is not in api/symbols.list")
    endif()
    # A header that portls.h does not include declares something nobody gets to see.
    if(NOT text MATCHES "${function}[ \n]*\\(")
        message(SEND_ERROR "${function} is not declared by #include \"portls/portls.h\"")
    endif()
endforeach()
foreach(function IN LISTS listed)
    if(NOT function IN_LIST declared)
        message(SEND_ERROR "${function} is in api/symbols.list, but no header declares it PORTLS_API")
    endif()
endforeach()
list(LENGTH declared count)
if(count EQUAL 0)
    message(SEND_ERROR "No PORTLS_API function was found in ${ROOT}/api/portls")
endif()
message(STATUS "${count} public functions")
