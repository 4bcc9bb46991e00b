# Included before project(), which reads the toolchain file. PORTLS_BOARD_DIR names a board's folder:
#   toolchain.cmake   the compiler, its flags, the C library, and the emulator or flasher that runs a
#                     program, as CMAKE_CROSSCOMPILING_EMULATOR
#   board.ld          the linker script
#   *.c               startup, UART, and what examples/bare-metal/board.h declares
#   user_settings.h   wolfSSL's options; without it cmake/wolfssl/bare/user_settings.h applies
# The folder also sets the defaults of a bare build; -D on the command line overrides each of them.
set(PORTLS_BOARD_DIR "" CACHE PATH "A board's folder, such as examples/bare-metal/riscv32: builds its firmware")
if(NOT PORTLS_BOARD_DIR)
    return()
endif()
foreach(_file IN ITEMS toolchain.cmake board.ld)
    if(NOT EXISTS "${PORTLS_BOARD_DIR}/${_file}")
        message(FATAL_ERROR "PORTLS_BOARD_DIR: ${PORTLS_BOARD_DIR} has no ${_file}")
    endif()
endforeach()

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR) # a parent has its own, and its project() has read them
    set(CMAKE_TOOLCHAIN_FILE "${PORTLS_BOARD_DIR}/toolchain.cmake" CACHE FILEPATH "")
    set(CMAKE_BUILD_TYPE MinSizeRel CACHE STRING "")
endif()
set(PORTLS_SHARED OFF CACHE STRING "")
set(PORTLS_OS none CACHE STRING "")
set(PORTLS_BACKEND wolfssl CACHE STRING "")
set(PORTLS_TESTS OFF CACHE BOOL "")
set(PORTLS_WOLFSSL_FROM_SOURCE ON CACHE BOOL "")
if(EXISTS "${PORTLS_BOARD_DIR}/user_settings.h")
    set(PORTLS_WOLFSSL_SETTINGS "${PORTLS_BOARD_DIR}/user_settings.h" CACHE STRING "")
endif()
