# The code in README.md is the very text of the examples, which are compiled and run; every file it
# links to is there.
#   cmake -D ROOT=<source tree> -P check-readme.cmake
cmake_minimum_required(VERSION 3.22)

if(NOT EXISTS "${ROOT}/README.md")
    message(FATAL_ERROR "check-readme.cmake needs -D ROOT=<source tree>")
endif()
file(READ "${ROOT}/README.md" readme)
set(problems 0)

# The snippets, each between a line "```c" and a line "```". A newcomer reads each at a glance: so
# many lines of code, without comments and empty lines, and no more.
set(client_lines 15)
set(server_lines 20)
foreach(example IN ITEMS client server)
    file(READ "${ROOT}/examples/${example}.c" code)
    string(FIND "${readme}" "\n```c\n${code}```\n" place)
    if(place EQUAL -1)
        message(NOTICE "README.md does not show examples/${example}.c as it is: copy it again")
        math(EXPR problems "${problems} + 1")
    endif()
    string(REGEX REPLACE "/\\*([^*]|\\*[^/])*\\*/" "" code "${code}")
    string(REGEX REPLACE "\n[ \n]*\n" "\n" code "\n${code}")
    string(REGEX MATCHALL "\n" lines "${code}")
    list(LENGTH lines count)
    math(EXPR count "${count} - 1")
    if(count GREATER ${example}_lines)
        message(NOTICE "examples/${example}.c has ${count} lines of code, and not "
            "${${example}_lines} at the most")
        math(EXPR problems "${problems} + 1")
    endif()
endforeach()
string(REGEX MATCHALL "\n```c\n" snippets "${readme}")
list(LENGTH snippets count)
if(NOT count EQUAL 2)
    message(NOTICE "README.md shows ${count} pieces of C, and two are compared with a file")
    math(EXPR problems "${problems} + 1")
endif()

# The links, but for those to other places.
string(REPLACE "[" "<" readme "${readme}") # brackets and semicolons mean something in CMake's lists
string(REPLACE "]" ">" readme "${readme}")
string(REPLACE ";" "," readme "${readme}")
string(REGEX MATCHALL ">\\([^)]*\\)" links "${readme}")
set(looked_at 0)
foreach(link IN LISTS links)
    string(REGEX REPLACE "^>\\(([^)#]*).*$" "\\1" link "${link}")
    if(NOT link MATCHES "^https?:" AND NOT link STREQUAL "")
        math(EXPR looked_at "${looked_at} + 1")
        if(NOT EXISTS "${ROOT}/${link}")
            message(NOTICE "README.md links to ${link}, which is not there")
            math(EXPR problems "${problems} + 1")
        endif()
    endif()
endforeach()

if(problems GREATER 0 OR looked_at EQUAL 0)
    message(FATAL_ERROR "Of ${looked_at} links and 2 snippets in README.md ${problems} are not right")
endif()
message(STATUS "README.md shows the examples, and each of its ${looked_at} links leads to a file")
