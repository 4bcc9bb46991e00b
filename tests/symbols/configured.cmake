# Which public functions a build has:
#   portls_configured_symbols(<source tree> <off> <variable>)
# sets the functions of a build in which the features of the list <off> (SOCKETS, FILES, THREADS,
# WAITING) are off: api/symbols.list, less api/absent-<feature>.list for each of them; and with the
# first three off, less those of api/absent-bare.list, and more those of api/absent-system.list,
# which stand in for the system: a clock, where anything waits.
function(portls_configured_symbols root off variable)
    file(STRINGS "${root}/api/symbols.list" all)
    set(symbols "${all}") # a function may be absent for more than one reason
    foreach(feature IN LISTS off)
        string(TOLOWER "${feature}" feature)
        if(EXISTS "${root}/api/absent-${feature}.list")
            file(STRINGS "${root}/api/absent-${feature}.list" absent)
            foreach(symbol IN LISTS absent)
                if(NOT symbol IN_LIST all)
                    message(SEND_ERROR
                        "${symbol} is in api/absent-${feature}.list, but not in api/symbols.list")
                endif()
            endforeach()
            list(REMOVE_ITEM symbols ${absent})
        endif()
    endforeach()
    if("SOCKETS" IN_LIST off AND "FILES" IN_LIST off AND "THREADS" IN_LIST off)
        file(STRINGS "${root}/api/absent-bare.list" absent)
        list(REMOVE_ITEM symbols ${absent})
        file(STRINGS "${root}/api/absent-system.list" more)
        if(NOT "WAITING" IN_LIST off)
            list(APPEND symbols ${more})
        endif()
        list(SORT symbols)
    endif()
    set(${variable} "${symbols}" PARENT_SCOPE)
endfunction()
