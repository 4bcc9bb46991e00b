# Who may know whom: fails when a file of the source tree includes what its room may not know, when
# a feature is asked for in the wrong place or way, when a file is too long, and when a source file
# is built by nobody. CONTRIBUTING.md gives the rules; this file is where they are written down.
#   cmake -D ROOT=<source tree> -P walls.cmake
cmake_minimum_required(VERSION 3.22)

if(NOT IS_DIRECTORY "${ROOT}")
    message(FATAL_ERROR "walls.cmake needs -D ROOT=<source tree>")
endif()
set(LINES_MAX 600)

# ---- what may stand between the angle brackets and the quotes of an #include ----

set(API_SYSTEM "stddef|stdint|stdbool")
# Standard C of which no part is an operating system's. <errno.h>, <signal.h>, <time.h> and
# <threads.h> are not among them: core/os answers for those.
set(C_SYSTEM "${API_SYSTEM}|stdatomic|string|stdlib|stdio|stdarg|limits|inttypes|assert")
set(TLS_SYSTEM "^(openssl/|wolfssl/|tls\\.h$|gnutls/|mbedtls/)")
set(OS_MACRO "_WIN32|_WIN64|__linux__|__unix__|__APPLE__|__FreeBSD__|__OpenBSD__|__NetBSD__|_POSIX|_GNU_SOURCE|_DEFAULT_SOURCE|_XOPEN_SOURCE|_BSD_SOURCE|__MINGW|__CYGWIN__|__ANDROID__")
set(BACKEND_MACRO "OPENSSL|LIBTLS|LIBRESSL|LIBRETLS|WOLFSSL")

set(problems 0)
set(looked_at 0)
function(problem file text)
    message(NOTICE "${file}: ${text}")
    math(EXPR count "${problems} + 1")
    set(problems ${count} PARENT_SCOPE)
endfunction()

# All preprocessor lines of a file, with what CMake's lists would trip over replaced.
function(directives file variable)
    file(READ "${ROOT}/${file}" text)
    string(REPLACE "\\\n" " " text "${text}")
    string(REPLACE "\\" "/" text "${text}")
    string(REPLACE ";" "," text "${text}")
    string(REPLACE "[" "(" text "${text}")
    string(REPLACE "]" ")" text "${text}")
    string(REGEX MATCHALL "(^|\n)[ \t]*#[^\n]*" lines "${text}")
    set(stripped "")
    foreach(line IN LISTS lines)
        string(REGEX REPLACE "^\n?[ \t]*#[ \t]*" "" line "${line}")
        list(APPEND stripped "${line}")
    endforeach()
    set(${variable} "${stripped}" PARENT_SCOPE)
endfunction()

# One file: `system` is what <…> may match, `own` what "…" may match; `never` overrides `system`.
macro(check_includes file system own never who)
    directives("${file}" lines)
    foreach(line IN LISTS lines)
        if(line MATCHES "^include[ \t]*<([^>]*)>")
            set(header "${CMAKE_MATCH_1}")
            if(NOT header MATCHES "${system}")
                problem("${file}" "<${header}> may not be known in ${who}")
            elseif(NOT "${never}" STREQUAL "" AND header MATCHES "${never}")
                problem("${file}" "<${header}>, a TLS library's, may not be known in ${who}")
            endif()
        elseif(line MATCHES "^include[ \t]*\"([^\"]*)\"")
            set(header "${CMAKE_MATCH_1}")
            if(NOT header MATCHES "${own}")
                problem("${file}" "\"${header}\" may not be known in ${who}")
            endif()
        elseif(line MATCHES "^include")
            problem("${file}" "#${line}: an include names a file in <> or \"\"")
        endif()
    endforeach()
endmacro()

# ---- each room ----

function(files variable)
    set(all "")
    foreach(pattern IN LISTS ARGN)
        file(GLOB_RECURSE found RELATIVE "${ROOT}" "${ROOT}/${pattern}")
        list(FILTER found EXCLUDE REGEX "^build[^/]*/") # build trees are not the project's
        list(APPEND all ${found})
    endforeach()
    list(LENGTH all count)
    math(EXPR total "${looked_at} + ${count}")
    set(looked_at ${total} PARENT_SCOPE)
    set(${variable} "${all}" PARENT_SCOPE)
endfunction()

files(found api/*.h api/*.c)
foreach(file IN LISTS found)
    set(system "${API_SYSTEM}")
    if(file STREQUAL "api/portls/stdio.h")
        string(APPEND system "|stdio") # FILE is what it is about, and no other header includes it
    endif()
    check_includes("${file}" "^(${system})\\.h$" "^portls/" "" "api")
endforeach()

# The layers of the core, from the bottom. A file includes its own layer and lower ones.
set(LAYERS base os x509 context wait port stream net sync)

# Fails for each include of `file` that goes up, and for a file or include outside every layer.
function(check_layer file)
    if(NOT file MATCHES "^core/([a-z0-9]+)/" OR NOT CMAKE_MATCH_1 IN_LIST LAYERS)
        list(JOIN LAYERS ", " text)
        problem("${file}" "not in a layer of the core (${text})")
        set(problems ${problems} PARENT_SCOPE)
        return()
    endif()
    list(FIND LAYERS "${CMAKE_MATCH_1}" own)
    directives("${file}" lines)
    foreach(line IN LISTS lines)
        if(line MATCHES "^include[ \t]*[<\"]core/(([^/\">]+)[^\">]*)[>\"]")
            list(FIND LAYERS "${CMAKE_MATCH_2}" other)
            if(other EQUAL -1 OR other GREATER own)
                problem("${file}" "\"core/${CMAKE_MATCH_1}\" is in a higher layer")
            endif()
        endif()
    endforeach()
    set(problems ${problems} PARENT_SCOPE)
endfunction()

files(found core/*.h core/*.c)
foreach(file IN LISTS found)
    check_layer("${file}")
    if(file MATCHES "^core/os/")
        check_includes("${file}" "." "^(portls/|core/)" "${TLS_SYSTEM}" "core/os")
    else()
        check_includes("${file}" "^(${C_SYSTEM})\\.h$" "^(portls/|core/|backends/backend\\.h$)" ""
            "the core (the operating system's headers belong into core/os)")
        directives("${file}" lines)
        foreach(line IN LISTS lines)
            if(line MATCHES "^(if|ifdef|ifndef|elif|define)[ \t]+.*(${OS_MACRO})")
                problem("${file}" "#${line}: operating systems are told apart in core/os only")
            elseif(line MATCHES "^(if|ifdef|ifndef|elif)[ \t]+.*(${BACKEND_MACRO})")
                problem("${file}" "#${line}: the core does not know which backend it has")
            endif()
        endforeach()
    endif()
endforeach()

# What a backend may use of the core besides backends/backend.h: how certificates are read and judged.
set(CERTIFICATE_HEADERS
    "certificate|chain|der|distinguished_name|host_match|name_constraints|path|pss|strength")

files(found backends/*.h backends/*.c)
foreach(file IN LISTS found)
    if(file MATCHES "^backends/([^/]+)/")
        set(backend "${CMAKE_MATCH_1}")
        set(library "^${backend}(/|\\.h$)")
        if(backend STREQUAL "libtls")
            # libtls is itself a layer over a libssl. None of its own headers: then it runs over any.
            # The time is that of core/x509's verdict.
            set(library "^(tls|time)\\.h$")
        endif()
        check_includes("${file}" "(^(${C_SYSTEM})\\.h$|${library})"
            "^(portls/|backends/([^/]+$|${backend}/)|core/x509/(${CERTIFICATE_HEADERS})\\.h$)" ""
            "the backend ${backend} (the headers that all backends share, core/x509's of certificates, its own library)")
        directives("${file}" lines)
        foreach(line IN LISTS lines)
            if(line MATCHES "^(if|ifdef|ifndef|elif|define)[ \t]+.*(${OS_MACRO})")
                problem("${file}" "#${line}: operating systems are told apart in core/os only")
            endif()
        endforeach()
    else()
        check_includes("${file}" "^(${API_SYSTEM})\\.h$" "^(portls/|backends/[^/]+$)" ""
            "backends/ (the interface, and what backends share)")
    endif()
endforeach()

# backends/libtls links what it includes, libtls alone.
if(EXISTS "${ROOT}/cmake/FindBackendLibtls.cmake")
    file(READ "${ROOT}/cmake/FindBackendLibtls.cmake" source)
    if(source MATCHES "(find_library|find_package|pkg_check_modules)\\([^)]*(ssl|SSL|crypto)")
        problem("cmake/FindBackendLibtls.cmake" "the backend libtls links libtls alone")
    endif()
endif()

# In bare builds core/base/format_bare.c formats messages. It has the conversions that they use and no others.
files(found core/*.c backends/*.c)
foreach(file IN LISTS found)
    file(READ "${ROOT}/${file}" source)
    string(REGEX MATCHALL "\"[^\"\n]*%[^\"\n]*\"" literals "${source}")
    string(REPLACE "%%" "" literals "${literals}")
    string(REGEX MATCHALL "%[-+ #]*[0-9]*(\\.[0-9*]*)?[hlzjtL]*[a-zA-Z]" conversions "${literals}")
    foreach(conversion IN LISTS conversions)
        if(NOT conversion MATCHES "^%(0?[0-9]*(z|ll)?[duxX]|(\\.\\*)?s|c)$")
            problem("${file}" "${conversion}: core/base/format_bare.c does not have this conversion")
        endif()
    endforeach()
endforeach()

# Programs: any header of the system, the public headers, and files of their own folder.
foreach(room IN ITEMS tools examples bench tests/spec tests/interop tests/install
        tests/crosstalk)
    files(found ${room}/*.h ${room}/*.c)
    foreach(file IN LISTS found)
        # What portls is compared with: the libraries by hand, in a folder of their own.
        set(never "${TLS_SYSTEM}")
        if(file MATCHES "^bench/hand/")
            set(never "")
        endif()
        check_includes("${file}" "." "^(portls/|${room}/|[^/]+$)" "${never}"
            "${room} (it sees the public headers only)")
    endforeach()
endforeach()

# ---- everywhere ----

# A feature macro is 0 or 1 and tested with #if, so that -Wundef finds one that was forgotten. An
# #ifndef is for an include guard or for a value that is given if nobody has given one.
files(found api/*.[ch] core/*.[ch] backends/*.[ch] tools/*.[ch] examples/*.[ch] bench/*.[ch]
    fuzz/*.[ch] tests/*.[ch])
foreach(file IN LISTS found)
    directives("${file}" lines)
    set(asked "")
    foreach(line IN LISTS lines)
        if(asked AND NOT line MATCHES "^define[ \t]+${asked}([ \t(]|$)")
            problem("${file}" "#ifndef ${asked}: a feature macro is 0 or 1 and tested with #if")
        endif()
        set(asked "")
        if(line MATCHES "^ifndef[ \t]+((PORTLS|CORE|BACKEND)[A-Za-z0-9_]*)")
            set(asked "${CMAKE_MATCH_1}")
        elseif(line MATCHES "^(ifdef|elifdef)[ \t]+PORTLS_" OR
                line MATCHES "^(if|elif)[ \t].*defined[ \t(]+PORTLS_")
            problem("${file}" "#${line}: a feature macro is 0 or 1 and tested with #if")
        endif()
    endforeach()
endforeach()

set(patterns CMakeLists.txt)
foreach(room IN ITEMS api core backends tools examples bench fuzz tests certs cmake)
    foreach(pattern IN ITEMS *.c *.h *.cmake *.sh *.py CMakeLists.txt)
        list(APPEND patterns "${room}/${pattern}")
    endforeach()
endforeach()
files(found ${patterns})
list(REMOVE_DUPLICATES found)
foreach(file IN LISTS found)
    file(READ "${ROOT}/${file}" text)
    string(REGEX REPLACE "[^\n]" "" newlines "${text}")
    string(LENGTH "${newlines}" length)
    if(length GREATER LINES_MAX)
        problem("${file}" "${length} lines, more than ${LINES_MAX}: it holds more than one concept")
    endif()
endforeach()

# Every source file is named by the CMakeLists.txt of its folder or of one of the two folders above.
files(found core/*.c backends/*.c tools/*.c examples/*.c bench/*.c fuzz/*.c tests/*.c)
foreach(file IN LISTS found)
    get_filename_component(folder "${file}" DIRECTORY)
    get_filename_component(above "${folder}" DIRECTORY)
    get_filename_component(name "${file}" NAME_WE)
    get_filename_component(last "${folder}" NAME)
    string(REGEX REPLACE "_test$" "" suite "${name}")
    set(listed FALSE)
    get_filename_component(top "${above}" DIRECTORY)
    get_filename_component(middle "${above}" NAME)
    foreach(pair IN ITEMS "${folder}=${name}" "${above}=${last}/${name}"
            "${top}=${middle}/${last}/${name}")
        string(REGEX MATCH "^(.*)=(.*)$" unused "${pair}")
        set(list_file "${ROOT}/${CMAKE_MATCH_1}/CMakeLists.txt")
        set(wanted "${CMAKE_MATCH_2}")
        if(EXISTS "${list_file}")
            file(READ "${list_file}" text)
            if(text MATCHES "(^|[ \t\n\"(/])${wanted}\\.c([ \t\n\")]|$)")
                set(listed TRUE)
            # A loop over suites that are named without _test.c.
            elseif(name MATCHES "_test$" AND text MATCHES "{[a-z]+}_test\\.c"
                    AND text MATCHES "[ \t\n]${suite}[ \t\n)]")
                set(listed TRUE)
            endif()
        endif()
    endforeach()
    # context/available.c is compiled per backend, by cmake/Backends.cmake; a board is a folder.
    if(NOT listed AND NOT file STREQUAL "core/context/available.c"
            AND NOT file MATCHES "^examples/bare-metal/[^/]+/")
        problem("${file}" "no CMakeLists.txt names it: it is compiled by nobody")
    endif()
endforeach()

if(looked_at EQUAL 0)
    message(FATAL_ERROR "There is no source file in ${ROOT}")
endif()
if(problems GREATER 0)
    message(FATAL_ERROR "${problems} breaches of the walls, listed above")
endif()
message(STATUS "The walls stand")
