# Fails when the objects of the library ask for a symbol that this build must do without:
#   cmake -D NM=nm -D "OBJECTS=a.o;b.o" -D "LIBRARY=libwolfssl.a" -D "OFF=SOCKETS;FILES;THREADS"
#         -D LIST=c.list -P undefined.cmake
# With all features off, nothing may be asked for but the symbols of LIST, which are standard C, and
# what the TLS library defines (LIBRARY). With some off, nothing of those.
cmake_minimum_required(VERSION 3.22)

# Names of calls that come with a feature on any system.
set(SOCKETS_SYMBOLS "(socket|bind|listen|accept4?|connect|recv|recvfrom|recvmsg|send|sendto|sendmsg"
    "|shutdown|[gs]etsockopt|getsockname|getpeername|getaddrinfo|freeaddrinfo|getnameinfo|inet_.*"
    "|epoll_.*|kqueue|kevent|select|ioctl|isatty|tcgetattr)")
set(FILES_SYMBOLS "(open|openat|fopen|fread|fdopen|opendir|readdir|stat|lstat|access|readlink|realpath"
    "|dl[a-z]+|getenv|secure_getenv|getauxval)")
set(THREADS_SYMBOLS "(pthread_.*|thrd_.*|mtx_.*|cnd_.*|call_once|__tls_get_addr)")

# "file: name type …" or "name type …" of every symbol that is (un)defined.
function(symbols_of which variable)
    execute_process(COMMAND "${NM}" --format=posix ${which} ${ARGN}
        OUTPUT_VARIABLE output ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[^\n]+" lines "${output}")
    set(names "")
    foreach(line IN LISTS lines)
        if(line MATCHES "^([A-Za-z0-9_.$]+) [A-Za-z]")
            list(APPEND names "${CMAKE_MATCH_1}")
        endif()
    endforeach()
    list(REMOVE_DUPLICATES names)
    set(${variable} "${names}" PARENT_SCOPE)
endfunction()

symbols_of(--undefined-only wanted ${OBJECTS})
symbols_of(--defined-only there ${OBJECTS})
list(LENGTH there count)
if(count EQUAL 0)
    message(FATAL_ERROR "No symbol was found in ${OBJECTS}")
endif()
list(REMOVE_ITEM wanted ${there} _GLOBAL_OFFSET_TABLE_)
list(FILTER wanted EXCLUDE REGEX "^__aeabi_") # the compiler's own arithmetic

set(all "SOCKETS;FILES;THREADS")
if(OFF STREQUAL all)
    file(STRINGS "${LIST}" allowed REGEX "^[^#]")
    list(REMOVE_ITEM wanted ${allowed})
    if(LIBRARY)
        symbols_of(--defined-only library "${LIBRARY}")
        list(REMOVE_ITEM wanted ${library})
    endif()
    set(refused ${wanted})
else()
    set(refused "")
    foreach(feature IN LISTS OFF)
        string(CONCAT pattern "^" ${${feature}_SYMBOLS} "$")
        set(some ${wanted})
        list(FILTER some INCLUDE REGEX "${pattern}")
        list(APPEND refused ${some})
    endforeach()
endif()
if(refused)
    list(JOIN refused ", " text)
    message(FATAL_ERROR "With ${OFF} off the library still asks for: ${text}")
endif()
list(LENGTH wanted left)
message(STATUS "${count} symbols are defined; with ${OFF} off nothing is asked for that is left out")
