# Builds and tests everything that has to work, on a fresh Debian 12 machine:
#   cmake -P cmake/check.cmake                            all of it
#   cmake -D STEPS="all;asan" -P cmake/check.cmake    only these presets
#   cmake -D PACKAGES=OFF …             without looking at the machine's packages
#   cmake -D EXTRA_PACKAGES="a;b" …     installing these as well
# Each step configures, builds and tests one preset in build/<preset>. A step that fails says so and
# the others still run; the last line sums up, and the exit code is 0 only if everything passed.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/InstallPackages.cmake")
get_filename_component(ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

# Not among what is run by default: valgrind, which takes as long as all the others, and what only
# leaves out one feature; .ci/run runs them.
set(ALL_STEPS all clang loaded asan tsan wolfssl-source bare-host valgrind without-sockets
    without-files without-threads)
if(NOT DEFINED STEPS)
    set(STEPS ${ALL_STEPS})
    list(REMOVE_ITEM STEPS valgrind without-sockets without-files without-threads)
endif()
foreach(step IN LISTS STEPS)
    if(NOT step IN_LIST ALL_STEPS)
        list(JOIN ALL_STEPS ", " text)
        message(FATAL_ERROR "There is no step '${step}'. There are: ${text}")
    endif()
endforeach()

string(TIMESTAMP begun "%s")
list(LENGTH STEPS count)
if(NOT DEFINED PACKAGES OR PACKAGES)
    message(NOTICE "\n== packages: what building and testing needs")
    install_packages(gcc libc6-dev clang ninja-build pkg-config libssl-dev libtls-dev
        libwolfssl-dev openssl libcriterion-dev valgrind gnutls-bin curl ca-certificates dpkg-dev
        python3 strace gnuplot-nox
        ${EXTRA_PACKAGES})
endif()

set(passed 0)
set(failed 0)
set(complaints "")

# Runs one command of a step, its output to a log; FALSE if it failed, which is then explained.
function(run step what advice result_variable)
    set(log "${ROOT}/build/check-${step}-${what}.log")
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${ROOT}"
        RESULT_VARIABLE result OUTPUT_FILE "${log}" ERROR_FILE "${log}")
    if(result EQUAL 0)
        set(${result_variable} TRUE PARENT_SCOPE)
        return()
    endif()
    file(READ "${log}" text)
    string(LENGTH "${text}" length)
    if(length GREATER 12000)
        math(EXPR start "${length} - 12000")
        string(SUBSTRING "${text}" ${start} -1 text)
        set(text "[…]${text}")
    endif()
    message(NOTICE "${text}")
    message(NOTICE "-- ${step}: ${what} failed (${result}); all of its output is in ${log}.\n"
        "-- ${advice}")
    set(${result_variable} FALSE PARENT_SCOPE)
endfunction()

# What ctest counted, from the JUnit file it wrote; a number that is not there counts as 0.
function(junit_number file name variable)
    set(${variable} 0 PARENT_SCOPE)
    if(EXISTS "${file}")
        file(READ "${file}" text LIMIT 4000)
        if(text MATCHES "<testsuite[^>]*[ \t\n]${name}=\"([0-9]+)\"")
            set(${variable} ${CMAKE_MATCH_1} PARENT_SCOPE)
        endif()
    endif()
endfunction()

# Configure, build, test. Adds to passed and failed; a step that does not get to its tests, or in
# which a test did not run, counts as one more failure.
function(check_preset step)
    set(junit "${ROOT}/build/check-${step}.xml")
    file(REMOVE "${junit}")
    file(MAKE_DIRECTORY "${ROOT}/build")
    run(${step} configure "Does it name a missing library? Install it. Else: rm -r build/${step}"
        good "${CMAKE_COMMAND}" --preset ${step})
    if(good)
        run(${step} build "Look for the first 'error:' above, and repeat: cmake --build --preset ${step}"
            good "${CMAKE_COMMAND}" --build --preset ${step})
    endif()
    set(tests 0)
    set(failures 0)
    if(good)
        run(${step} test "Repeat one: ctest --preset ${step} -R <name>"
            good "${CMAKE_CTEST_COMMAND}" --preset ${step} --output-junit "${junit}")
        junit_number("${junit}" tests tests)
        junit_number("${junit}" failures failures)
        foreach(kind IN ITEMS disabled skipped)
            junit_number("${junit}" ${kind} unseen)
            math(EXPR failures "${failures} + ${unseen}")
        endforeach()
    endif()
    if(NOT good AND failures EQUAL 0)
        math(EXPR tests "${tests} + 1")
        set(failures 1)
    endif()
    math(EXPR step_passed "${tests} - ${failures}")
    math(EXPR sum_passed "${passed} + ${step_passed}")
    math(EXPR sum_failed "${failed} + ${failures}")
    set(passed ${sum_passed} PARENT_SCOPE)
    set(failed ${sum_failed} PARENT_SCOPE)
    if(failures GREATER 0)
        set(complaints ${complaints} ${step} PARENT_SCOPE)
    endif()
    message(NOTICE "-- ${step}: ${step_passed} passed, ${failures} failed")
endfunction()

set(number 0)
foreach(step IN LISTS STEPS)
    math(EXPR number "${number} + 1")
    message(NOTICE "\n== ${step} (${number} of ${count}): configure, build, test in build/${step}")
    check_preset(${step})
endforeach()

string(TIMESTAMP ended "%s")
math(EXPR seconds "${ended} - ${begun}")
message(NOTICE "\n${count} builds in ${seconds} s")
set(summary "${passed} passed, ${failed} failed")
if(failed GREATER 0 OR passed EQUAL 0)
    list(JOIN complaints ", " text)
    message(NOTICE "\nFailed: ${text}\n${summary}")
    message(FATAL_ERROR "Not everything passed")
endif()
message(NOTICE "\n${summary}")
