# cmake -D PROGRAM=<emulator;program> -P selftest.cmake: the runner fails what is wrong, and only that.
cmake_minimum_required(VERSION 3.25)

function(expect exit_code text)
    execute_process(COMMAND ${PROGRAM} ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    if(NOT result EQUAL exit_code OR NOT output MATCHES "${text}")
        message(FATAL_ERROR "'${ARGN}' ended with ${result}, not ${exit_code}, or does not say "
            "'${text}':\n${output}")
    endif()
endfunction()

expect(1 "\n4 passed, 6 failed\n")
foreach(name IN ITEMS assert expect_and_goes_on text crash third_number)
    expect(1 "FAILED: plain/bad_${name}\n0 passed, 1 failed\n" --filter plain/bad_${name})
endforeach()
expect(1 "FAILED: ended/bad_at_its_end\n" --filter "ended/*")
expect(1 "does not hold: begun == 1: it is 0\n" --filter "*_assert")
expect(1 "== 1\n.*!= 0\n" --filter "*_goes_on")
expect(1 "with element 3 of its 3\n" --filter "*_third_number")
expect(0 "passed: good/checks_that_hold\n.*\n4 passed, 0 failed\n" --verbose --filter "good/*")
expect(1 "0 passed, 0 failed\n" --filter "nothing/*")
expect(0 "good: 4 tests\n.* with_each_number\n" --list)
expect(2 "usage" --wrong)
