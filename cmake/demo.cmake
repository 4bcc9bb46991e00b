# Builds portls in build/demo and runs its demonstration, on a fresh Debian 12 machine:
#   cmake -P cmake/demo.cmake
# The exit code is the demonstration's.
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/InstallPackages.cmake")
get_filename_component(ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(BUILD "${ROOT}/build/demo")

if(NOT DEFINED PACKAGES OR PACKAGES)
    message(NOTICE "== packages: what building needs")
    install_packages(gcc libc6-dev ninja-build pkg-config libssl-dev openssl ca-certificates)
endif()

function(step what)
    message(NOTICE "== ${what}")
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${ROOT}" RESULT_VARIABLE result
        OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(NOTICE "${output}")
        message(FATAL_ERROR "${what} failed, see above. When that is put right, or after "
            "rm -r build/demo, try again: cmake -P cmake/demo.cmake")
    endif()
endfunction()

step("configure, in build/demo" "${CMAKE_COMMAND}" -S "${ROOT}" -B "${BUILD}" -G Ninja
    -D CMAKE_BUILD_TYPE=Release -D PORTLS_TESTS=OFF)
step("build" "${CMAKE_COMMAND}" --build "${BUILD}" --parallel)

step("make test certificates, in build/demo/certs" bash "${ROOT}/certs/make-certs.sh"
    "${BUILD}/certs")

message(NOTICE "== run: build/demo/bin/portls-demo build/demo/certs")
execute_process(COMMAND "${BUILD}/bin/portls-demo" "${BUILD}/certs" WORKING_DIRECTORY "${ROOT}"
    RESULT_VARIABLE result)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "The demonstration ended with ${result}")
endif()
