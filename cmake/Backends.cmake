# Finding the backends and making the libraries. A backend is one folder, backends/<name>/ with a
# CMakeLists.txt that calls portls_add_backend, and one file, cmake/FindBackend<Name>.cmake, which
# says how its TLS library is found. Nothing else in the build names one.

# What the core needs of the system, for target_link_libraries.
set(PORTLS_SYSTEM_LIBRARIES "")
if(WIN32)
    list(APPEND PORTLS_SYSTEM_LIBRARIES ws2_32 crypt32 iphlpapi)
elseif(PORTLS_HOSTED)
    find_package(Threads REQUIRED)
    list(APPEND PORTLS_SYSTEM_LIBRARIES Threads::Threads)
endif()
if(PORTLS_HOSTED)
    list(APPEND PORTLS_SYSTEM_LIBRARIES ${CMAKE_DL_LIBS})
endif()

# BackendOpenssl for openssl.
function(portls_backend_package backend variable)
    string(SUBSTRING "${backend}" 0 1 first)
    string(SUBSTRING "${backend}" 1 -1 rest)
    string(TOUPPER "${first}" first)
    set(${variable} "Backend${first}${rest}" PARENT_SCOPE)
endfunction()

# Every backend that has a folder and a find module.
function(portls_known_backends variable)
    file(GLOB folders CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/backends"
        "${PROJECT_SOURCE_DIR}/backends/*/CMakeLists.txt")
    set(known "")
    foreach(folder IN LISTS folders)
        get_filename_component(backend "${folder}" DIRECTORY)
        list(APPEND known "${backend}")
    endforeach()
    set(${variable} "${known}" PARENT_SCOPE)
endfunction()

portls_known_backends(PORTLS_BACKENDS_KNOWN)
list(JOIN PORTLS_BACKENDS_KNOWN ", " _known)
if(PORTLS_BACKENDS STREQUAL "all")
    set(_wanted ${PORTLS_BACKEND} ${PORTLS_BACKENDS_KNOWN})
else()
    set(_wanted ${PORTLS_BACKEND} ${PORTLS_BACKENDS})
endif()
list(REMOVE_DUPLICATES _wanted)

# The backends that this configuration builds, the chosen one first.
set(PORTLS_BACKENDS_BUILT "")
foreach(_backend IN LISTS _wanted)
    if(NOT _backend IN_LIST PORTLS_BACKENDS_KNOWN)
        message(FATAL_ERROR "There is no backend '${_backend}'. This version has: ${_known}. "
            "Choose one with -DPORTLS_BACKEND=<name>.")
    endif()
    portls_backend_package(${_backend} _package)
    find_package(${_package} QUIET MODULE)
    if(${_package}_FOUND)
        list(APPEND PORTLS_BACKENDS_BUILT ${_backend})
    elseif(PORTLS_BACKENDS STREQUAL "all" AND NOT _backend STREQUAL PORTLS_BACKEND)
        message(STATUS "Backend ${_backend}: left out, its library is not there "
            "(Debian: apt-get install ${${_package}_DEBIAN})")
    else()
        message(FATAL_ERROR "The backend '${_backend}' needs ${${_package}_LIBRARY_TEXT}, which was "
            "not found. Debian and Ubuntu: apt-get install ${${_package}_DEBIAN}. Elsewhere: "
            "install it with its headers, and name its prefix with -DCMAKE_PREFIX_PATH=<prefix>.")
    endif()
endforeach()
list(JOIN PORTLS_BACKENDS_BUILT ", " _built)
message(STATUS "portls ${PROJECT_VERSION}: backends ${_built} (${PORTLS_BACKEND_LINKAGE}), "
    "portls::portls is ${PORTLS_BACKEND}")

# Called by backends/<name>/CMakeLists.txt: the objects of one backend.
function(portls_add_backend backend)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
    portls_backend_package(${backend} package)
    add_library(portls-backend-${backend} OBJECT ${arg_SOURCES})
    portls_library_code(portls-backend-${backend})
    target_link_libraries(portls-backend-${backend} PRIVATE ${${package}_TARGET})
    if(PORTLS_BACKEND_LINKAGE STREQUAL "loaded")
        portls_add_module(${backend})
    endif()
endfunction()

# Installed libraries and modules keep the way to a TLS library that lies in a prefix of its own
# (INSTALL_RPATH_USE_LINK_PATH): else they would find no such library, or another one of its name.

# The module that is opened on first use. It shows one symbol, which the map file picks out: that
# is why its objects are compiled with default visibility.
function(portls_add_module backend)
    portls_backend_package(${backend} package)
    set(target portls-module-${backend})
    set_target_properties(portls-backend-${backend} PROPERTIES C_VISIBILITY_PRESET default)
    # What a backend uses of the core.
    set(core base/error.c base/format.c x509/certificate.c x509/chain.c x509/der.c
        x509/directory_string.c x509/distinguished_name.c x509/dns_name.c x509/extensions.c
        x509/host_match.c x509/hostname.c x509/name_constraints.c x509/name_format.c
        x509/path.c x509/path_accepted.c x509/pss.c x509/strength.c)
    list(TRANSFORM core PREPEND "${PROJECT_SOURCE_DIR}/core/")
    add_library(${target} MODULE $<TARGET_OBJECTS:portls-backend-${backend}> ${core})
    portls_library_code(${target})
    set(map "${PROJECT_SOURCE_DIR}/cmake/module.map")
    set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME portls-backend-${backend}
        LINK_DEPENDS "${map}" INSTALL_RPATH_USE_LINK_PATH ON)
    target_link_options(${target} PRIVATE "LINKER:--version-script=${map}")
    portls_no_undefined(${target})
    target_link_libraries(${target} PRIVATE ${${package}_TARGET})
endfunction()

# A shared object with an undefined symbol fails here, not at its user's. With a
# sanitizer the symbols of its runtime come with the program.
function(portls_no_undefined target)
    if(NOT PORTLS_SANITIZE AND NOT APPLE)
        target_link_options(${target} PRIVATE "LINKER:--no-undefined")
    endif()
endfunction()

function(portls_add_backends)
    foreach(backend IN LISTS PORTLS_BACKENDS_BUILT)
        add_subdirectory("${PROJECT_SOURCE_DIR}/backends/${backend}"
            "${PROJECT_BINARY_DIR}/backends/${backend}")
    endforeach()
endfunction()

# What core/context/available.c is told: it is the one file of the core that is compiled per backend.
function(portls_available_definitions target backend)
    if(PORTLS_BACKEND_LINKAGE STREQUAL "loaded")
        set(loaded 1)
    else()
        set(loaded 0)
    endif()
    target_compile_definitions(${target} PRIVATE
        PORTLS_BACKEND_LOADED=${loaded}
        "PORTLS_BACKEND_NAME=\"${backend}\""
        "PORTLS_MODULE_DIRECTORY=\"${CMAKE_INSTALL_FULL_LIBDIR}/portls\""
        "PORTLS_VERSION=\"${PROJECT_VERSION}\"")
endfunction()

# Adds the core, and with a linked backend also the backend, to a library target.
function(portls_fill_library target backend)
    portls_backend_package(${backend} package)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:portls-core>
        "${PROJECT_SOURCE_DIR}/core/context/available.c")
    portls_library_code(${target})
    portls_available_definitions(${target} ${backend})
    target_link_libraries(${target} PRIVATE ${PORTLS_SYSTEM_LIBRARIES})
    if(PORTLS_BACKEND_LINKAGE STREQUAL "linked")
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:portls-backend-${backend}>)
        target_link_libraries(${target} PRIVATE ${${package}_TARGET})
    else()
        add_dependencies(${target} portls-module-${backend})
    endif()
endfunction()

# The library of one backend: libportls-openssl.so.0.1 or libportls-openssl.a.
function(portls_add_library backend)
    set(target portls-${backend})
    add_library(${target})
    portls_fill_library(${target} ${backend})
    add_library(portls::${target} ALIAS ${target})
    set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION}
        SOVERSION ${PORTLS_ABI_VERSION} INSTALL_RPATH_USE_LINK_PATH ON)
    target_include_directories(${target} INTERFACE
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/api>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    # An installed features.h says it itself.
    foreach(definition IN LISTS PORTLS_FEATURE_DEFINITIONS)
        target_compile_definitions(${target} INTERFACE "$<BUILD_INTERFACE:${definition}>")
    endforeach()
    if(BUILD_SHARED_LIBS)
        portls_no_undefined(${target})
    else()
        target_compile_definitions(${target} INTERFACE PORTLS_STATIC=1)
    endif()
endfunction()

function(portls_add_libraries)
    foreach(backend IN LISTS PORTLS_BACKENDS_BUILT)
        portls_add_library(${backend})
    endforeach()
    add_library(portls::portls ALIAS portls-${PORTLS_BACKEND})
endfunction()
