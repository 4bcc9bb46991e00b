# The test certificates, which tests and benchmarks use: made once per build tree.

set(PORTLS_TEST_CERTS "${PROJECT_BINARY_DIR}/certs")
set(_make_certs "${PROJECT_SOURCE_DIR}/certs/make-certs.sh")
add_custom_command(OUTPUT "${PORTLS_TEST_CERTS}/certs.stamp"
    COMMAND bash "${_make_certs}" "${PORTLS_TEST_CERTS}"
    COMMAND "${CMAKE_COMMAND}" -E touch "${PORTLS_TEST_CERTS}/certs.stamp"
    DEPENDS "${_make_certs}"
    COMMENT "Making the test certificates"
    VERBATIM)
add_custom_target(portls-certs ALL DEPENDS "${PORTLS_TEST_CERTS}/certs.stamp")

# The generated rows of the verification table: chains, and the table as C. Needs Python3_EXECUTABLE.
function(portls_make_table)
    set(make_table "${PROJECT_SOURCE_DIR}/certs/make-table.py")
    file(GLOB rows CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/certs/table/*.py"
        "${PROJECT_SOURCE_DIR}/certs/table/*.txt")
    add_custom_command(OUTPUT "${PORTLS_TEST_CERTS}/verify_rows.c"
        COMMAND "${Python3_EXECUTABLE}" "${make_table}" "${PORTLS_TEST_CERTS}"
        DEPENDS "${make_table}" ${rows} "${PORTLS_TEST_CERTS}/certs.stamp"
        COMMENT "Making the rows of the verification table"
        VERBATIM)
    add_custom_target(portls-table DEPENDS "${PORTLS_TEST_CERTS}/verify_rows.c")
endfunction()
