# Builds and tests everything that has to work, on a fresh Debian 12 machine:
#   cmake -P cmake/check.cmake                            all of it
#   cmake -D STEPS="all;asan" -P cmake/check.cmake    only these presets
#   cmake -D PACKAGES=OFF …             without looking at the machine's packages
#   cmake -D EXTRA_PACKAGES="a;b" …     installing these as well
# Each step configures, builds and tests one preset in build/<preset>. A step that fails says so and
# the others still run; the last line sums up, and the exit code is 0 only if everything passed.
cmake_minimum_required(VERSION 3.25)
include("${CMAKE_CURRENT_LIST_DIR}/InstallPackages.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/CheckPresets.cmake")

# Not run by default: valgrind, which takes as long as all the others, and helgrind and fuzz, which
# .ci/run runs.
set(ALL_STEPS all clang loaded asan tsan wolfssl-source bare-host valgrind helgrind fuzz)
set(LEFT_OUT valgrind helgrind fuzz)
choose_steps()

if("fuzz" IN_LIST STEPS)
    list(APPEND EXTRA_PACKAGES libclang-rt-dev)
endif()

if(NOT DEFINED PACKAGES OR PACKAGES)
    message(NOTICE "\n== packages: what building and testing needs")
    install_packages(gcc libc6-dev clang ninja-build pkg-config libssl-dev libtls-dev
        libwolfssl-dev libuv1-dev libevent-dev openssl libcriterion-dev valgrind gnutls-bin curl
        ca-certificates dpkg-dev python3 strace gnuplot-nox
        ${EXTRA_PACKAGES})
endif()

check_presets(${STEPS})
