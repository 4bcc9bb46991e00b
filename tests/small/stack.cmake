# How much stack the core takes: all of it that a small target is built from, by its own compiler.
#   portls_add_stack_test(<name>)
function(portls_add_stack_test name)
    find_package(Python3 COMPONENTS Interpreter REQUIRED)
    get_target_property(core_sources portls-core SOURCES)
    list(TRANSFORM core_sources PREPEND "core/")
    separate_arguments(target_flags UNIX_COMMAND "${CMAKE_C_FLAGS}")
    list(TRANSFORM PORTLS_FEATURE_DEFINITIONS PREPEND "-D" OUTPUT_VARIABLE features)
    add_test(NAME ${name} COMMAND "${Python3_EXECUTABLE}"
        "${PROJECT_SOURCE_DIR}/tests/small/stack.py"
        --compiler "${CMAKE_C_COMPILER}" --root "${PROJECT_SOURCE_DIR}"
        --work "${CMAKE_CURRENT_BINARY_DIR}/stack" --limit 1024
        ${core_sources} -- -std=c11 -Os ${target_flags} -DPORTLS_BUILDING=1 ${features}
        -DPORTLS_SEND_SIZE=${PORTLS_SEND_SIZE})
    set_tests_properties(${name} PROPERTIES TIMEOUT 60)
endfunction()
