# Targets that look at the source: format (rewrites), format-check, tidy. They need clang-format and
# clang-tidy only when they are run.
if(NOT PROJECT_IS_TOP_LEVEL)
    return()
endif()
foreach(_check IN ITEMS format format-check tidy)
    add_custom_target(${_check}
        COMMAND "${CMAKE_COMMAND}" -D "CHECK=${_check}" -D "ROOT=${PROJECT_SOURCE_DIR}"
            -D "BUILD=${PROJECT_BINARY_DIR}" -P "${PROJECT_SOURCE_DIR}/cmake/check-style.cmake"
        USES_TERMINAL VERBATIM)
endforeach()
