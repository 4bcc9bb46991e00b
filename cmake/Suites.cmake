# portls_add_suite: a Criterion suite, compiled and registered once per backend built.
#
#   portls_add_suite(<name> KIND <kind> SOURCES <file>... [SUPPORT <file>...]
#                    [LABELS <label>...] [TIMEOUT <seconds>] [APART] [COUNTED])
#
# registers <kind>.<name>.<backend> with the labels <kind> and <backend>. SUPPORT: files that all
# suites of a kind share, the same for each; they are compiled once. APART: each of its tests needs a
# process to itself, also where tests share one to save an emulator's time. COUNTED, for kind unit:
# core and backend, and nothing else, call counted_malloc and so on, which the suite has. Kinds:
#   unit      sees the insides of the core
#   contract  sees the insides of the core and the backend itself, on its interface
#   spec      sees the library as a user does: the public headers and the exported symbols
#   interop, parity and all others: as spec
# Every suite finds the test PKI under PORTLS_TEST_CERTS, and these in its environment:
#   PORTLS_TEST_CERTS, PORTLS_TOOL (the command), PORTLS_BACKEND, PORTLS_BUILD (the build tree)

set(PORTLS_TEST_SYSTEM "")
if(PORTLS_BOARD_DIR)
    # Suites have whole files and transfers among their locals.
    set(PORTLS_TEST_SYSTEM portls-board -Wl,--defsym=BOARD_STACK_SIZE=131072)
else()
    find_package(Threads REQUIRED)
    set(PORTLS_TEST_SYSTEM Threads::Threads)
    if(WIN32)
        # POSIX threads, which MinGW-w64 has as a library, in every program itself.
        set(PORTLS_TEST_SYSTEM -static -lwinpthread)
    endif()
endif()
option(PORTLS_OWN_RUNNER "Run the suites by tests/runner instead of by Criterion"
    ${CMAKE_CROSSCOMPILING})
if(PORTLS_OWN_RUNNER)
    set(PORTLS_TEST_LIBRARY portls-runner)
    set(PORTLS_SUITE_LAUNCHER ${CMAKE_CROSSCOMPILING_EMULATOR})
    # Where there are no processes, or none that fork.
    set(PORTLS_ONE_TEST_AT_A_TIME OFF)
    if(WIN32 OR (NOT PORTLS_HOSTED AND CMAKE_CROSSCOMPILING))
        set(PORTLS_ONE_TEST_AT_A_TIME ON)
        set(each "${PROJECT_SOURCE_DIR}/tests/runner/each.sh")
        if(WIN32)
            list(APPEND each --left-out "${PROJECT_SOURCE_DIR}/tests/runner/windows-left-out.txt")
        endif()
        list(PREPEND PORTLS_SUITE_LAUNCHER ${each})
    endif()
    # Half of an emulator's time goes into translating the same code in each process. Everywhere else
    # every test has a process to itself.
    set(PORTLS_TESTS_SHARE_PROCESSES OFF)
    if(CMAKE_CROSSCOMPILING_EMULATOR AND NOT PORTLS_ONE_TEST_AT_A_TIME)
        set(PORTLS_TESTS_SHARE_PROCESSES ON)
    endif()
    add_subdirectory("${PROJECT_SOURCE_DIR}/tests/runner" "${PROJECT_BINARY_DIR}/tests/runner")
else()
    find_package(PkgConfig REQUIRED)
    pkg_check_modules(CRITERION QUIET IMPORTED_TARGET criterion)
    if(NOT CRITERION_FOUND)
        message(FATAL_ERROR "The tests need Criterion (Debian: apt-get install libcriterion-dev). "
            "Without it: -DPORTLS_OWN_RUNNER=ON, which does for a target that has none. "
            "Without tests: -DPORTLS_TESTS=OFF.")
    endif()
    set(PORTLS_TEST_LIBRARY PkgConfig::CRITERION)
    set(PORTLS_SUITE_LAUNCHER "")
endif()

# Criterion runs each test in a child and does not look at how the child ends after its test has
# passed, where leaks are found: what a checker prints has to fail the suite.
set(PORTLS_REPORTS "ERROR: [A-Za-z]+Sanitizer" "runtime error:" "==[0-9]+== [^ ]")
set(PORTLS_CHECKER_ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:check_initialization_order=1:use_sigaltstack=0"
    "UBSAN_OPTIONS=print_stacktrace=1")

if(PORTLS_VALGRIND OR PORTLS_HELGRIND)
    find_program(PORTLS_VALGRIND_PROGRAM valgrind)
    if(NOT PORTLS_VALGRIND_PROGRAM)
        message(FATAL_ERROR "PORTLS_VALGRIND and PORTLS_HELGRIND need valgrind (Debian: apt-get "
            "install valgrind)")
    endif()
endif()
if(PORTLS_VALGRIND)
    set(PORTLS_VALGRIND_COMMAND "${PORTLS_VALGRIND_PROGRAM}" --quiet --trace-children=yes
        --trace-children-skip=*/openssl,*/curl,*/gnutls-cli,*/gnutls-serv,*/sh,*/bash
        --leak-check=full --show-leak-kinds=definite,indirect,possible --error-exitcode=99)
endif()

# The command over one backend: in bin/ for the chosen one, in bin/<backend>/ for each other.
function(portls_tool_path backend variable)
    set(path "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/portls")
    if(backend IN_LIST PORTLS_BACKENDS_BUILT AND NOT backend STREQUAL PORTLS_BACKEND)
        set(path "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${backend}/portls")
    endif()
    set(${variable} "${path}" PARENT_SCOPE)
endfunction()

# What every test of the tree is told and watched for.
function(portls_test_properties test kind backend timeout)
    set(checkers "${PORTLS_CHECKER_ENVIRONMENT}")
    if(kind MATCHES "^(tool|interop|readme)$")
        # LeakSanitizer never ends when a thread ends beside it, and a command that is told to stop does
        # not wait for its threads. Leaks are looked for in the suites, which do.
        list(TRANSFORM checkers REPLACE "detect_leaks=1" "detect_leaks=0")
    endif()
    portls_tool_path(${backend} tool)
    set_tests_properties(${test} PROPERTIES
        LABELS "${kind};${backend};${ARGN}"
        TIMEOUT ${timeout}
        FAIL_REGULAR_EXPRESSION "${PORTLS_REPORTS}"
        ENVIRONMENT "PORTLS_TEST_CERTS=${PORTLS_TEST_CERTS};PORTLS_TOOL=${tool};PORTLS_BACKEND=${backend};PORTLS_BUILD=${PROJECT_BINARY_DIR};${checkers}")
endfunction()

# What the code of a suite is compiled with.
function(portls_suite_code target kind backend)
    portls_program_code(${target})
    # A test may drop a status on purpose, with a cast to void. Clang takes that, GCC does not.
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -Wno-unused-result)
    endif()
    portls_link_suite(${target} ${kind} ${backend})
    target_compile_definitions(${target} PRIVATE "PORTLS_TEST_CERTS=\"${PORTLS_TEST_CERTS}\"")
    target_link_libraries(${target} PRIVATE ${PORTLS_TEST_LIBRARY} ${PORTLS_TEST_SYSTEM})
endfunction()

# The core and, if linked, the backend as an archive, so that a suite reaches what is hidden.
function(portls_add_internals backend)
    if(NOT TARGET portls-internals-${backend})
        add_library(portls-internals-${backend} STATIC EXCLUDE_FROM_ALL)
        portls_fill_library(portls-internals-${backend} ${backend})
    endif()
endfunction()

# The same archive with other names for malloc and its kin. The linker's --wrap would rename them in
# a static TLS library and a static C library too.
function(portls_add_counted backend)
    set(target portls-counted-${backend})
    if(TARGET ${target})
        return()
    endif()
    portls_add_internals(${backend})
    set(archive "${CMAKE_CURRENT_BINARY_DIR}/lib${target}.a")
    set(renamed "")
    foreach(name IN ITEMS malloc calloc realloc free)
        list(APPEND renamed --redefine-sym ${name}=counted_${name})
    endforeach()
    add_custom_command(OUTPUT "${archive}"
        COMMAND "${CMAKE_OBJCOPY}" ${renamed} $<TARGET_FILE:portls-internals-${backend}> "${archive}"
        DEPENDS portls-internals-${backend} VERBATIM)
    add_custom_target(${target}-made DEPENDS "${archive}")
    add_library(${target} STATIC IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${archive}")
    add_dependencies(${target} ${target}-made)
    # For what that needs: it has nothing more to give itself.
    target_link_libraries(${target} INTERFACE portls-internals-${backend})
endfunction()

function(portls_link_suite target kind backend)
    if(kind STREQUAL "counted")
        portls_add_counted(${backend})
        target_link_libraries(${target} PRIVATE portls-counted-${backend})
        set(kind unit)
    endif()
    if(kind MATCHES "^(unit|contract)$")
        portls_add_internals(${backend})
        target_link_libraries(${target} PRIVATE portls-internals-${backend})
        target_compile_definitions(${target} PRIVATE PORTLS_BUILDING=1)
        target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/api"
            "${PROJECT_SOURCE_DIR}")
    else()
        target_link_libraries(${target} PRIVATE portls::portls-${backend})
        target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/${kind}")
    endif()
    get_target_property(type ${target} TYPE)
    if(kind STREQUAL "contract" AND PORTLS_BACKEND_LINKAGE STREQUAL "loaded"
            AND type STREQUAL "EXECUTABLE")
        portls_backend_package(${backend} package)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:portls-backend-${backend}>)
        target_link_libraries(${target} PRIVATE ${${package}_TARGET})
    endif()
endfunction()

function(portls_add_suite name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "APART;COUNTED" "KIND;TIMEOUT" "SOURCES;SUPPORT;LABELS")
    if(NOT arg_KIND OR NOT arg_SOURCES)
        message(FATAL_ERROR "portls_add_suite(${name}) needs KIND and SOURCES")
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    foreach(backend IN LISTS PORTLS_BACKENDS_BUILT)
        set(test ${arg_KIND}.${name}.${backend})
        set(command ${PORTLS_SUITE_LAUNCHER})
        set(timeout ${arg_TIMEOUT})
        if(CMAKE_CROSSCOMPILING)
            math(EXPR timeout "${arg_TIMEOUT} * 10") # an emulator is slow
        endif()
        if(PORTLS_VALGRIND)
            if(NOT arg_KIND STREQUAL "spec")
                continue()
            endif()
            set(command ${PORTLS_VALGRIND_COMMAND})
            math(EXPR timeout "${arg_TIMEOUT} * 15")
        endif()
        add_executable(${test} ${arg_SOURCES})
        if(arg_COUNTED)
            portls_suite_code(${test} counted ${backend})
        else()
            portls_suite_code(${test} ${arg_KIND} ${backend})
        endif()
        if(arg_SUPPORT)
            set(support ${arg_KIND}-support-${backend})
            if(NOT TARGET ${support})
                add_library(${support} OBJECT ${arg_SUPPORT})
                portls_suite_code(${support} ${arg_KIND} ${backend})
            endif()
            target_sources(${test} PRIVATE $<TARGET_OBJECTS:${support}>)
        endif()
        add_dependencies(${test} portls-certs)
        set(company "")
        if(PORTLS_TESTS_SHARE_PROCESSES AND NOT arg_APART)
            set(company --together)
        endif()
        add_test(NAME ${test} COMMAND ${command} $<TARGET_FILE:${test}> ${company})
        portls_test_properties(${test} ${arg_KIND} ${backend} ${timeout} ${arg_LABELS})
        if(WIN32 AND CMAKE_CROSSCOMPILING)
            set_tests_properties(${test} PROPERTIES FIXTURES_REQUIRED wine)
        endif()
    endforeach()
endfunction()

# portls_add_program: a test with a main of its own, compiled and registered once per backend built.
# It sees the library as a user does, and exits with 0 when all was well.
#
#   portls_add_program(<name> KIND <kind> SOURCES <file>... [SUPPORT <file>...]
#                      [ARGUMENTS <argument>...] [LABELS <label>...] [TIMEOUT <seconds>])
#
# registers <kind>.<name>.<backend>. SUPPORT: files that all programs of a kind share. In an argument
# @TOOL@ stands for the command over that backend.
function(portls_program_test target backend)
    portls_program_code(${target})
    target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
    target_compile_definitions(${target} PRIVATE "PORTLS_TEST_CERTS=\"${PORTLS_TEST_CERTS}\"")
    target_link_libraries(${target} PRIVATE portls::portls-${backend} Threads::Threads)
endfunction()

function(portls_add_program name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "KIND;TIMEOUT" "SOURCES;SUPPORT;ARGUMENTS;LABELS")
    if(NOT arg_KIND OR NOT arg_SOURCES)
        message(FATAL_ERROR "portls_add_program(${name}) needs KIND and SOURCES")
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    foreach(backend IN LISTS PORTLS_BACKENDS_BUILT)
        set(test ${arg_KIND}.${name}.${backend})
        add_executable(${test} ${arg_SOURCES})
        portls_program_test(${test} ${backend})
        if(arg_SUPPORT)
            set(support ${arg_KIND}-support-${backend})
            if(NOT TARGET ${support})
                add_library(${support} OBJECT ${arg_SUPPORT})
                portls_program_test(${support} ${backend})
            endif()
            target_sources(${test} PRIVATE $<TARGET_OBJECTS:${support}>)
        endif()
        add_dependencies(${test} portls-certs)
        portls_tool_path(${backend} tool)
        string(REPLACE "@TOOL@" "${tool}" arguments "${arg_ARGUMENTS}")
        add_test(NAME ${test} COMMAND ${test} ${arguments})
        portls_test_properties(${test} ${arg_KIND} ${backend} ${arg_TIMEOUT} ${arg_LABELS})
    endforeach()
endfunction()

# portls_add_script: a shell test of the command, registered once per backend built.
#
#   portls_add_script(<name> KIND <kind> SCRIPT <file> [ARGUMENTS <argument>...]
#                     [LABELS <label>...] [TIMEOUT <seconds>])
#
# runs SCRIPT TOOL CERTS ARGUMENT... as <kind>.<name>.<backend>. In an argument @BACKEND@ stands for
# the backend.
function(portls_add_script name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "KIND;SCRIPT;TIMEOUT" "ARGUMENTS;LABELS")
    if(NOT arg_KIND OR NOT arg_SCRIPT)
        message(FATAL_ERROR "portls_add_script(${name}) needs KIND and SCRIPT")
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 120)
    endif()
    foreach(backend IN LISTS PORTLS_BACKENDS_BUILT)
        set(test ${arg_KIND}.${name}.${backend})
        portls_tool_path(${backend} tool)
        string(REPLACE "@BACKEND@" "${backend}" arguments "${arg_ARGUMENTS}")
        add_test(NAME ${test} COMMAND bash "${CMAKE_CURRENT_SOURCE_DIR}/${arg_SCRIPT}" "${tool}"
            "${PORTLS_TEST_CERTS}" ${arguments})
        portls_test_properties(${test} ${arg_KIND} ${backend} ${arg_TIMEOUT} ${arg_LABELS})
    endforeach()
endfunction()
