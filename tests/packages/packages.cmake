# Runs install_packages with commands of our own in place of Debian's, which write down what they
# were asked to do:
#   cmake -D ROOT=<source tree> -D SCRATCH=<directory to work in> -P packages.cmake
cmake_minimum_required(VERSION 3.22)

set(failures 0)
find_program(SH sh REQUIRED)

function(command name text)
    file(WRITE "${SCRATCH}/bin/${name}" "#!${SH}\n${text}\n")
    file(CHMOD "${SCRATCH}/bin/${name}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endfunction()

# A machine on which `there` is installed; after a successful `apt-get install` so is `missing`.
function(machine user)
    file(REMOVE_RECURSE "${SCRATCH}")
    file(WRITE "${SCRATCH}/asked" "")
    command(id "echo ${user}")
    command(dpkg-query "case $3 in there) printf installed;; missing) test -e '${SCRATCH}/done' && printf installed;; *) exit 1;; esac")
    command(apt-get "echo \"apt-get $DEBIAN_FRONTEND $*\" >> '${SCRATCH}/asked'
case \"$*\" in *install*) : > '${SCRATCH}/done';; esac")
    command(env "export \"$1\"; shift; exec \"$@\"")
endfunction()

# Runs install_packages(there missing) or what `packages` says; looks at result, words and deeds.
function(expect what packages succeeds said asked)
    file(WRITE "${SCRATCH}/run.cmake" "cmake_minimum_required(VERSION 3.22)\n"
        "set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH OFF)\n"
        "include(\"${ROOT}/cmake/InstallPackages.cmake\")\ninstall_packages(${packages})\n")
    set(ENV{PATH} "${SCRATCH}/bin")
    execute_process(COMMAND "${CMAKE_COMMAND}" -P "${SCRATCH}/run.cmake"
        RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    file(READ "${SCRATCH}/asked" really_asked)
    # CMake breaks the lines of an error where it likes.
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    set(good TRUE)
    if(succeeds AND NOT result EQUAL 0 OR NOT succeeds AND result EQUAL 0)
        set(good FALSE)
    elseif(NOT output MATCHES "${said}" OR NOT really_asked STREQUAL asked)
        set(good FALSE)
    endif()
    if(NOT good)
        message(NOTICE "${what}: ended with ${result}, said '${output}', asked '${really_asked}'")
        math(EXPR count "${failures} + 1")
        set(failures ${count} PARENT_SCOPE)
    endif()
endfunction()

set(update "apt-get noninteractive --yes --quiet update\n")
set(install "apt-get noninteractive --yes --quiet install --no-install-recommends missing\n")

machine(0)
expect("nothing is missing" "there" TRUE "Packages: all there" "")

machine(0)
expect("as root" "there missing" TRUE "missing and installed now: missing" "${update}${install}")

machine(1000)
command(sudo "echo sudo >> '${SCRATCH}/asked'; exec \"$@\"")
expect("with sudo" "there missing" TRUE "installed now: missing"
    "sudo\n${update}sudo\n${install}")

machine(1000)
expect("no root, no sudo" "there missing" FALSE
    "you are not root and there is no sudo.*apt-get install missing" "")

machine(0)
command(apt-get "echo 'no network' >&2; exit 100")
expect("apt-get fails" "there missing" FALSE "no network.*apt-get update failed" "")

machine(0)
expect("apt-get does not know it" "there unheard-of" FALSE "still missing: unheard-of"
    "${update}apt-get noninteractive --yes --quiet install --no-install-recommends unheard-of\n")

machine(0)
file(REMOVE "${SCRATCH}/bin/dpkg-query")
expect("no Debian" "there missing" TRUE "no Debian system.*there missing" "")

if(failures GREATER 0)
    message(FATAL_ERROR "${failures} trials went wrong")
endif()
