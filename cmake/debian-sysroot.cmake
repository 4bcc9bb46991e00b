# Unpacks Debian's libraries for another machine into a directory, without telling the system's apt
# about that machine:
#   cmake -D ARCHITECTURE=armhf -D SYSROOT=<directory> -D PACKAGES="<package>;…" \
#         -P cmake/debian-sysroot.cmake
# Exactly these packages, not what they depend on: the C library comes with the cross compiler.
# Nothing is done when all of them are there.
cmake_minimum_required(VERSION 3.22)
include("${CMAKE_CURRENT_LIST_DIR}/DebianArchive.cmake")

foreach(name IN ITEMS ARCHITECTURE SYSROOT PACKAGES)
    if(NOT ${name})
        message(FATAL_ERROR "${name} is missing: cmake -D ARCHITECTURE=armhf -D SYSROOT=<directory> "
            "-D PACKAGES=\"<package>;…\" -P cmake/debian-sysroot.cmake")
    endif()
endforeach()
get_filename_component(SYSROOT "${SYSROOT}" ABSOLUTE)
set(stamp "${SYSROOT}/portls-sysroot.stamp")
set(stamp_text "${ARCHITECTURE};${PACKAGES}")
if(EXISTS "${stamp}")
    file(READ "${stamp}" old_text)
    if(old_text STREQUAL stamp_text)
        message(STATUS "${ARCHITECTURE} libraries: ${SYSROOT} is up to date")
        return()
    endif()
endif()

find_program(DPKG dpkg)
if(NOT DPKG)
    message(FATAL_ERROR "Unpacking packages needs Debian's dpkg, which is not there")
endif()
set(work "${SYSROOT}-work")
file(REMOVE_RECURSE "${SYSROOT}" "${work}/packages")
file(MAKE_DIRECTORY "${SYSROOT}" "${work}/packages")

function(run what advice)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${work}/packages" RESULT_VARIABLE result
        OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        message(NOTICE "${output}")
        message(FATAL_ERROR "${ARCHITECTURE} libraries: ${what} failed (${result}), see above. "
            "${advice}")
    endif()
endfunction()

message(STATUS "${ARCHITECTURE} libraries: fetching ${PACKAGES}")
portls_apt_get("${work}/apt" deb ${ARCHITECTURE} apt_get)
set(advice "Is this machine connected, and does its release have these packages?")
# A part of the archive that cannot be read, as one that is just being renewed, is done without, if
# the packages are in another part: what is read is signed.
execute_process(COMMAND ${apt_get} update RESULT_VARIABLE result OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
if(NOT result EQUAL 0)
    message(NOTICE "${output}")
    message(NOTICE "${ARCHITECTURE} libraries: not all of the archive could be read, see above; going "
        "on with what was")
endif()
run("apt-get download" "${advice}" ${apt_get} download ${PACKAGES})
file(GLOB archives "${work}/packages/*.deb")
list(LENGTH archives count)
list(LENGTH PACKAGES wanted)
if(NOT count EQUAL wanted)
    message(FATAL_ERROR "${ARCHITECTURE} libraries: ${wanted} packages were asked for, apt-get "
        "brought ${count}")
endif()
foreach(archive IN LISTS archives)
    run("dpkg -x" "" "${DPKG}" -x "${archive}" "${SYSROOT}")
endforeach()
file(WRITE "${stamp}" "${stamp_text}")
message(STATUS "${ARCHITECTURE} libraries: unpacked in ${SYSROOT}")
