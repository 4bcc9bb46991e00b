# Builds and tests every target that is not this machine, on Debian 12 with an amd64 processor:
#   cmake -P cmake/check-targets.cmake                        all of them
#   cmake -D STEPS="armhf;s390x" -P cmake/check-targets.cmake     only these presets
#   cmake -D PACKAGES=OFF …     without looking at the machine's packages
# Cross compilers and emulators are installed as packages. Libraries for other machines are fetched
# from Debian and unpacked beneath build/; the machine's own apt hears of no other architecture.
# Each step configures, builds and tests one preset of cmake/targets.json, as cmake/check.cmake does.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/InstallPackages.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/CheckPresets.cmake")

set(ALL_STEPS cortex-m3 cortex-m3-suites riscv32 musl armhf arm64 s390x windows)
set(LEFT_OUT "")
choose_steps()

# What each step needs beyond what all need.
set(PACKAGES_cortex-m3 gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm python3-minimal)
set(PACKAGES_cortex-m3-suites ${PACKAGES_cortex-m3})
set(PACKAGES_riscv32 gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc python3-minimal)
set(PACKAGES_musl gcc musl-tools)
set(PACKAGES_armhf gcc-arm-linux-gnueabihf libc6-dev-armhf-cross qemu-user-static)
set(PACKAGES_arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static)
set(PACKAGES_s390x gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user-static)
set(PACKAGES_windows gcc-mingw-w64-x86-64-win32 wine64)

if(NOT DEFINED PACKAGES OR PACKAGES)
    message(NOTICE "\n== packages: what building and testing these targets needs")
    set(packages ninja-build pkg-config openssl dpkg-dev)
    foreach(step IN LISTS STEPS)
        list(APPEND packages ${PACKAGES_${step}})
    endforeach()
    list(REMOVE_DUPLICATES packages)
    install_packages(${packages})
endif()

check_presets(${STEPS})
