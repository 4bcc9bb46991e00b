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
