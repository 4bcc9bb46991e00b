# Fails unless the headers declare PORTLS_API exactly the functions that a build has, in a hosted
# build and in a bare one (configured.cmake says which functions those are):
#   cmake -D ROOT=<source tree> -D COMPILER=cc -D FLAGS=<its flags> -P headers.cmake
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/configured.cmake")

# Closing and removing: a program that is done with a port often has no use for the result, and GCC
# warns where a PORTLS_MUST_USE result is cast to void.
set(droppable "^portls_(close|free|stop)|_remove$")

# What a doc comment does not say: it can be read alone, and is active.
set(wordy "[Nn]obody|[Ww]hoever|[Ww]hatever| is to be | are to be |The same|the same[.,:) ]with|as above|calls above")
# A list of statuses that is only found in another function's comment.
string(APPEND wordy "|(failures?|results?) of portls_|also its failures")

# What the comment of every function says: whether it blocks, and from which threads to call it.
set(blocking "(Does|do)[ \n*]+not[ \n*]+block|(Blocks|May[ \n*]+block)[ .]")
set(threads "[Tt]hread")

# Functions are read from the headers themselves, where PORTLS_API still stands before each.
file(GLOB headers "${ROOT}/api/portls/*.h")
set(declared "")
foreach(header IN LISTS headers)
    file(READ "${header}" source)
    string(REGEX REPLACE "[[;]" "\n" source "${source}")
    string(REGEX MATCHALL "[^/]\nPORTLS_API[^(]*" undocumented "${source}")
    if(undocumented)
        message(SEND_ERROR "No doc comment before ${undocumented} in ${header}")
    endif()
    string(REGEX MATCHALL "[^\n]*(${wordy})[^\n]*" lines "${source}")
    if(lines)
        message(SEND_ERROR "${header}: a doc comment that leans on another, or is wordy: ${lines}")
    endif()
    string(REGEX MATCHALL "/\\*\\*[^*]*(\\*+[^*/][^*]*)*\\*+/\n(PORTLS_API|static inline)[^(]*" comments "${source}")
    foreach(comment IN LISTS comments)
        string(REGEX MATCH "portls_[a-z0-9_]+$" function "${comment}")
        if(NOT comment MATCHES "${blocking}")
            message(SEND_ERROR "The comment of ${function} does not say whether it blocks")
        endif()
        if(NOT comment MATCHES "${threads}")
            message(SEND_ERROR "The comment of ${function} does not say from which threads to call it")
        endif()
    endforeach()
    string(REGEX MATCHALL "\nPORTLS_API[^(]*\\([^)]*" declarations "${source}")
    foreach(declaration IN LISTS declarations)
        if(declaration MATCHES "(portls_[a-z0-9_]+)[ \n]*\\(([^)]*)$")
            set(function "${CMAKE_MATCH_1}")
            set(parameters "${CMAKE_MATCH_2}")
            list(APPEND declared "${function}")
            if(declaration MATCHES "PORTLS_MUST_USE" AND function MATCHES "${droppable}")
                message(SEND_ERROR "${function} is PORTLS_MUST_USE; a program may ignore its result")
            endif()
            if(parameters MATCHES "void \\*(handle|source|port|ssl_port)" AND
                NOT function MATCHES "^portls_is_")
                message(SEND_ERROR "${function} takes a handle as void *, and is no predicate")
            endif()
        endif()
    endforeach()
endforeach()
list(SORT declared)
list(LENGTH declared count)
if(count EQUAL 0)
    message(SEND_ERROR "No PORTLS_API function was found in ${ROOT}/api/portls")
endif()

file(STRINGS "${ROOT}/api/symbols.list" listed)
file(STRINGS "${ROOT}/api/bare-only.list" listed_bare)
foreach(function IN LISTS declared)
    if(NOT function IN_LIST listed AND NOT function IN_LIST listed_bare)
        message(SEND_ERROR "${function} is declared PORTLS_API, but is not in api/symbols.list")
    endif()
endforeach()
foreach(function IN LISTS listed listed_bare)
    if(NOT function IN_LIST declared)
        message(SEND_ERROR "${function} is in api/symbols.list, but no header declares it PORTLS_API")
    endif()
endforeach()

separate_arguments(flags UNIX_COMMAND "${FLAGS}")
# What a program gets to see by portls/portls.h and the one header that it leaves out.
function(check_build hosted)
    set(stdio "")
    if(hosted)
        set(stdio -include "${ROOT}/api/portls/stdio.h")
    endif()
    execute_process(COMMAND "${COMPILER}" ${flags} -E -P -I "${ROOT}/api" -DPORTLS_HOSTED=${hosted} ${stdio}
        -x c "${ROOT}/api/portls/portls.h"
        OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    portls_configured_symbols("${ROOT}" ${hosted} expected)
    foreach(function IN LISTS declared)
        set(seen FALSE)
        if(text MATCHES "[^a-z0-9_]${function}[ \n]*\\(")
            set(seen TRUE)
        endif()
        if(function IN_LIST expected AND NOT seen)
            message(SEND_ERROR "${function} is not declared by #include \"portls/portls.h\" "
                "with PORTLS_HOSTED=${hosted}")
        elseif(seen AND NOT function IN_LIST expected)
            message(SEND_ERROR "${function} is declared with PORTLS_HOSTED=${hosted}, and missing")
        endif()
    endforeach()
endfunction()

check_build(1)
check_build(0)
message(STATUS "${count} public functions")
