# Fails when the objects of a bare build need a symbol other than those of LIST, which are standard C,
# and those that the TLS library defines (LIBRARY, may be empty):
#   cmake -D NM=nm -D "OBJECTS=a.o;b.o" -D "LIBRARY=libwolfssl.a" -D LIST=c.list -P undefined.cmake
cmake_minimum_required(VERSION 3.22)

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
list(FILTER wanted EXCLUDE REGEX "^__(aeabi_|u?(div|mod)di3$)") # the compiler's own arithmetic

file(STRINGS "${LIST}" allowed REGEX "^[^#]")
list(REMOVE_ITEM wanted ${allowed})
if(LIBRARY)
    symbols_of(--defined-only library "${LIBRARY}")
    list(REMOVE_ITEM wanted ${library})
endif()
if(wanted)
    list(JOIN wanted ", " text)
    message(FATAL_ERROR "The bare library needs: ${text}")
endif()
message(STATUS "${count} symbols are defined; only standard C and the TLS library are needed")
