# For the scripts of this folder: install_packages(<package>...) sees to it that Debian packages are
# there. It says which are missing and installs exactly those; where it cannot, it says what to do.

function(missing_packages variable)
    set(missing "")
    foreach(package IN LISTS ARGN)
        execute_process(COMMAND dpkg-query --show "--showformat=\${db:Status-Status}" ${package}
            OUTPUT_VARIABLE state ERROR_QUIET)
        if(NOT state STREQUAL "installed")
            list(APPEND missing ${package})
        endif()
    endforeach()
    set(${variable} "${missing}" PARENT_SCOPE)
endfunction()

function(install_packages)
    list(JOIN ARGN " " all)
    find_program(DPKG_QUERY dpkg-query)
    find_program(APT_GET apt-get)
    if(NOT DPKG_QUERY OR NOT APT_GET)
        message(NOTICE "This is no Debian system, so nothing is installed. Needed, by the names they "
            "have in Debian 12: ${all}")
        return()
    endif()

    missing_packages(missing ${ARGN})
    if(NOT missing)
        message(NOTICE "Packages: all there (${all})")
        return()
    endif()
    list(JOIN missing " " text)
    message(NOTICE "Packages: missing and installed now: ${text}")

    set(become "")
    execute_process(COMMAND id -u OUTPUT_VARIABLE user OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT user STREQUAL "0")
        find_program(SUDO sudo)
        if(NOT SUDO)
            message(FATAL_ERROR "Packages: you are not root and there is no sudo. Have someone who is "
                "root run: apt-get update && apt-get install ${text}")
        endif()
        set(become "${SUDO}")
    endif()
    set(apt_get ${become} env DEBIAN_FRONTEND=noninteractive "${APT_GET}" --yes --quiet)
    foreach(step IN ITEMS "update" "install;--no-install-recommends;${missing}")
        execute_process(COMMAND ${apt_get} ${step} RESULT_VARIABLE result
            OUTPUT_VARIABLE output ERROR_VARIABLE output)
        if(NOT result EQUAL 0)
            list(GET step 0 name)
            message(NOTICE "${output}")
            message(FATAL_ERROR "Packages: apt-get ${name} failed, see above. Is this machine "
                "connected, and are its package sources right? When they are, try again, or "
                "install by hand: apt-get install ${text}")
        endif()
    endforeach()
    missing_packages(missing ${missing})
    if(missing)
        message(FATAL_ERROR "Packages: apt-get says it is done, but these are still missing: "
            "${missing}")
    endif()
endfunction()
