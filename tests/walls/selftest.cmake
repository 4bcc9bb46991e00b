# Shows that walls.cmake finds what it is there for: plants one violation at a time into a small
# tree that is clean otherwise, and fails unless exactly that is reported.
#   cmake -D SCRATCH=<directory to work in> -P selftest.cmake
cmake_minimum_required(VERSION 3.22)

if(NOT SCRATCH)
    message(FATAL_ERROR "selftest.cmake needs -D SCRATCH=<directory>")
endif()
set(tree "${SCRATCH}/selftest-tree")
set(failures 0)
set(tried 0)

function(plant_clean_tree)
    file(REMOVE_RECURSE "${tree}")
    file(WRITE "${tree}/api/portls/a.h"
        "#ifndef PORTLS_A_H\n#define PORTLS_A_H\n#include <stddef.h>\n#endif\n")
    file(WRITE "${tree}/core/CMakeLists.txt" "add_library(core OBJECT context/a.c os/posix/posix.c)\n")
    file(WRITE "${tree}/core/context/a.c"
        "#include <stdio.h>\n#include \"portls/a.h\"\n#include \"backends/backend.h\"\n")
    file(WRITE "${tree}/core/os/posix/posix.c" "#define _GNU_SOURCE\n#include <poll.h>\n#ifdef __linux__\n#endif\n")
    file(WRITE "${tree}/backends/backend.h" "#include \"portls/a.h\"\n")
    file(WRITE "${tree}/backends/openssl/CMakeLists.txt" "portls_add_backend(openssl SOURCES b.c)\n")
    file(WRITE "${tree}/backends/openssl/b.c"
        "#include <openssl/ssl.h>\n#include \"backends/backend.h\"\n")
    file(WRITE "${tree}/examples/CMakeLists.txt" "add_executable(e e.c)\n")
    file(WRITE "${tree}/examples/e.c" "#include <unistd.h>\n#include \"portls/a.h\"\n")
    file(WRITE "${tree}/bench/CMakeLists.txt" "add_executable(bench b.c hand/h.c)\n")
    file(WRITE "${tree}/bench/b.c" "#include \"bench/b.h\"\n")
    file(WRITE "${tree}/bench/hand/h.c" "#include <openssl/ssl.h>\n#include \"bench/b.h\"\n")
endfunction()

# Runs the check; it has to fail with a line that matches `expected`, or to pass if that is empty.
function(expect what expected)
    math(EXPR count "${tried} + 1")
    set(tried ${count} PARENT_SCOPE)
    execute_process(COMMAND "${CMAKE_COMMAND}" -D "ROOT=${tree}"
        -P "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/walls.cmake"
        RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(expected STREQUAL "" AND result EQUAL 0)
        return()
    endif()
    if(NOT expected STREQUAL "" AND NOT result EQUAL 0 AND output MATCHES "${expected}"
            AND output MATCHES "1 breaches")
        return()
    endif()
    message(NOTICE "${what}: walls.cmake ended with ${result} and said:\n${output}")
    math(EXPR count "${failures} + 1")
    set(failures ${count} PARENT_SCOPE)
endfunction()

# Appends `text` to a file of the clean tree and expects the report.
macro(violation file text expected)
    plant_clean_tree()
    file(APPEND "${tree}/${file}" "${text}\n")
    expect("${file} with ${text}" "${expected}")
endmacro()

plant_clean_tree()
expect("the clean tree" "")

violation("core/context/a.c" "x(\"%ld and %s\");" "%ld: core/base/format_bare.c does not have")
violation(api/portls/a.h "#include <sys/socket.h>" "api/portls/a.h: <sys/socket.h> may not")
violation(api/portls/a.h "#include \"core/a.h\"" "\"core/a.h\" may not be known in api")
violation(core/context/a.c "#include <unistd.h>" "core/context/a.c: <unistd.h> may not")
violation(core/context/a.c "  #  include <errno.h>" "core/context/a.c: <errno.h> may not")
violation(core/context/a.c "#include <openssl/ssl.h>" "core/context/a.c: <openssl/ssl.h> may not")
violation(core/context/a.c "#include \"backends/openssl/b.h\"" "\"backends/openssl/b.h\" may not")
violation(core/context/a.c "#ifdef _WIN32\n#endif" "told apart in core/os only")
violation(core/context/a.c "#if \\\\\n  defined(__linux__)\n#endif" "told apart in core/os only")
violation(core/context/a.c "#if PORTLS_WITH_OPENSSL\n#endif" "does not know which backend")
violation(core/context/a.c "#ifdef PORTLS_WITH_FILES\n#endif" "tested with #if")
violation(core/context/a.c "#if defined(PORTLS_WITH_FILES)\n#endif" "tested with #if")
violation(core/context/a.c "#ifndef PORTLS_WITH_FILES\nint x;\n#endif" "tested with #if")
violation(core/context/a.c "#include \"core/stream/stream.h\"" "core/stream/stream.h\" is in a higher layer")
violation(core/os/posix/posix.c "#include \"core/x509/der.h\"" "core/x509/der.h\" is in a higher layer")
violation(core/os/posix/posix.c "#include <core/stream/stream.h>" "core/stream/stream.h\" is in a higher layer")
violation(core/context/a.c "#include \"core/old.h\"" "core/old.h\" is in a higher layer")
violation(core/os/posix/posix.c "#include <openssl/ssl.h>" "a TLS library's, may not be known in core/os")
violation(core/os/posix/posix.c "#include \"backends/openssl/b.h\"" "may not be known in core/os")
violation(backends/backend.h "#include <openssl/ssl.h>" "backends/backend.h: <openssl/ssl.h>")
violation(backends/openssl/b.c "#include <tls.h>" "<tls.h> may not")
violation(backends/openssl/b.c "#include <sys/socket.h>" "<sys/socket.h> may not")
violation(backends/openssl/b.c "#include \"core/a.h\"" "\"core/a.h\" may not")
violation(backends/openssl/b.c "#include \"backends/libtls/l.h\"" "\"backends/libtls/l.h\" may not")
violation(examples/e.c "#include \"core/a.h\"" "it sees the public headers only")
violation(examples/e.c "#include \"backends/backend.h\"" "it sees the public headers only")
violation(examples/e.c "#include <openssl/ssl.h>" "a TLS library's, may not be known in examples")
violation(bench/b.c "#include <openssl/ssl.h>" "a TLS library's, may not be known in bench")
violation(bench/hand/h.c "#include \"core/a.h\"" "it sees the public headers only")

plant_clean_tree()
file(WRITE "${tree}/core/misc/b.h" "int x;\n")
expect("a file outside every layer" "core/misc/b.h: not in a layer of the core")

plant_clean_tree()
file(WRITE "${tree}/core/wait/forgotten.c" "int forgotten;\n")
expect("a file that is not listed" "core/wait/forgotten.c: no CMakeLists.txt names it")

plant_clean_tree()
file(WRITE "${tree}/core/os/none/none.c" "int forgotten;\n")
expect("a file in core/os that is not listed" "core/os/none/none.c: no CMakeLists.txt names it")

plant_clean_tree()
file(WRITE "${tree}/tests/unit/CMakeLists.txt" "set(suites one two)\nadd(\${suite}_test.c)\n")
file(WRITE "${tree}/tests/unit/two_test.c" "int listed;\n")
expect("a suite that is listed by its name" "")
file(WRITE "${tree}/tests/unit/three_test.c" "int forgotten;\n")
expect("a suite that is not" "tests/unit/three_test.c: no CMakeLists.txt names it")

plant_clean_tree()
string(REPEAT "int x;\n" 601 long)
file(APPEND "${tree}/core/context/a.c" "${long}")
expect("a long file" "core/context/a.c: 604 lines, more than 600")

file(REMOVE_RECURSE "${tree}")
if(failures GREATER 0)
    message(FATAL_ERROR "${failures} of ${tried} trials went wrong")
endif()
message(STATUS "${tried} trials: the walls are seen to fall")
