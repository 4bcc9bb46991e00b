# For the scripts of this folder: apt-get with lists and a cache of its own, so that source packages
# and other machines' packages can be fetched without touching what the machine itself has. apt
# checks the signatures with the keys the machine trusts. Nothing in /etc is changed.

# portls_apt_get(<directory> <types> <architecture> <variable>): writes into a directory the
# machine's own Debian archives as those of `types` (deb or deb-src), and sets the variable to an
# apt-get command that knows nothing else. An empty architecture is the machine's own.
function(portls_apt_get directory types architecture variable)
    find_program(APT_GET apt-get)
    if(NOT APT_GET)
        message(FATAL_ERROR "Fetching packages needs Debian's apt-get, which is not there")
    endif()
    file(MAKE_DIRECTORY "${directory}/lists/partial" "${directory}/cache/archives/partial")
    _portls_write_sources("${directory}/portls.sources" ${types})
    set(command "${APT_GET}" --quiet
        -o "Dir::Etc::SourceList=${directory}/portls.sources" -o "Dir::Etc::SourceParts=/dev/null"
        -o "Dir::State::Lists=${directory}/lists" -o "Dir::Cache=${directory}/cache"
        -o "APT::Sandbox::User=root")
    if(architecture)
        file(TOUCH "${directory}/status")
        list(APPEND command -o "APT::Architecture=${architecture}"
            -o "APT::Architectures=${architecture}" -o "Dir::State::Status=${directory}/status")
    endif()
    set(${variable} "${command}" PARENT_SCOPE)
endfunction()

# Every stanza of the machine's .sources files that names Debian's keyring.
function(_portls_write_sources file types)
    file(GLOB lists "/etc/apt/sources.list.d/*.sources")
    set(stanzas "")
    foreach(list IN LISTS lists)
        file(READ "${list}" text)
        string(REPLACE ";" "\\;" text "${text}")
        string(REGEX REPLACE "\n#[^\n]*" "" text "\n${text}")
        string(REGEX REPLACE "\n[ \t]*\n+" ";" text "${text}")
        foreach(stanza IN LISTS text)
            if(stanza MATCHES "Signed-By:[^\n]*debian-archive-keyring")
                string(REGEX REPLACE "Types:[^\n]*" "Types: ${types}" stanza "${stanza}")
                string(REGEX REPLACE "Architectures:[^\n]*\n?" "" stanza "${stanza}")
                string(APPEND stanzas "${stanza}\n\n")
            endif()
        endforeach()
    endforeach()
    if(NOT stanzas)
        message(FATAL_ERROR "No file in /etc/apt/sources.list.d names Debian's archive with its "
            "keyring, so nothing can be fetched from there")
    endif()
    file(WRITE "${file}" "${stanzas}")
endfunction()
