# How this project's code is compiled. Functions, and not an interface library, so that nothing of
# it follows the library to its users.

if(PORTLS_SANITIZE)
    add_compile_options(-fsanitize=${PORTLS_SANITIZE} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${PORTLS_SANITIZE})
endif()

if(PORTLS_HELGRIND)
    add_compile_options(-include "${PROJECT_SOURCE_DIR}/tests/stress/helgrind_atomics.h")
endif()

# The warnings that all code of the project is free of, tests included.
function(portls_warnings target)
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wundef -Wshadow -Wconversion
        -Wstrict-prototypes -Wvla)
    if(WIN32 AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
        # It checks formats against Microsoft's printf, which lacks "%zu". The same calls are checked on
        # every other system.
        target_compile_options(${target} PRIVATE -Wno-format -Wno-format-extra-args)
    endif()
    if(PORTLS_WERROR)
        target_compile_options(${target} PRIVATE -Werror)
    endif()
endfunction()

# Code of the library itself: strict C11, nothing visible but what says PORTLS_API.
function(portls_library_code target)
    portls_warnings(${target})
    # A bare target has no shared libraries, and its code stays where it is linked to.
    get_property(shared_libraries GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS)
    set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON
        C_EXTENSIONS OFF C_VISIBILITY_PRESET hidden
        POSITION_INDEPENDENT_CODE "${shared_libraries}")
    target_compile_definitions(${target} PRIVATE PORTLS_BUILDING=1)
    if(NOT BUILD_SHARED_LIBS)
        target_compile_definitions(${target} PRIVATE PORTLS_STATIC=1)
    endif()
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/api"
        "${PROJECT_SOURCE_DIR}")
endfunction()

# Programs beside the library: the command, examples, tests. They may ask the system for more.
function(portls_program_code target)
    portls_warnings(${target})
    set_target_properties(${target} PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON
        C_EXTENSIONS ON)
endfunction()
