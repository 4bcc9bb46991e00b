# Fails unless a shared object defines exactly the symbols of a list:
#   cmake -D NM=nm -D FILE=libportls-openssl.so -D LIST=api/symbols.list -P symbols.cmake
cmake_minimum_required(VERSION 3.22)

foreach(variable IN ITEMS NM FILE LIST)
    if(NOT ${variable})
        message(FATAL_ERROR "symbols.cmake needs -D ${variable}=…")
    endif()
endforeach()

execute_process(COMMAND "${NM}" -D --defined-only --format=posix "${FILE}"
    OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${output}")
set(found "")
foreach(line IN LISTS lines)
    # "name type value size"; absolute symbols are version names.
    if(line MATCHES "^([^ @]+)[^ ]* ([A-Za-z])" AND NOT CMAKE_MATCH_2 STREQUAL "A")
        list(APPEND found "${CMAKE_MATCH_1}")
    endif()
endforeach()

file(STRINGS "${LIST}" expected)
set(sorted ${expected})
list(SORT sorted)
list(REMOVE_DUPLICATES sorted)
if(NOT sorted STREQUAL expected)
    message(FATAL_ERROR "${LIST} is not sorted, or names a symbol twice: LC_ALL=C sort -u")
endif()

set(missing ${expected})
list(REMOVE_ITEM missing ${found})
set(extra ${found})
list(REMOVE_ITEM extra ${expected})
if(missing)
    list(JOIN missing ", " text)
    message(SEND_ERROR "In ${LIST}, but ${FILE} does not export it: ${text}")
endif()
if(extra)
    list(JOIN extra ", " text)
    message(SEND_ERROR "${FILE} exports it, but it is not in ${LIST}: ${text}")
endif()
list(LENGTH expected count)
message(STATUS "${count} symbols looked for in ${FILE}")
