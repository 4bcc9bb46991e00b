# Which public functions a build has:
#   portls_configured_symbols(<source tree> <hosted> <variable>)
# sets the functions of a hosted build (<hosted> is true): api/symbols.list; or of a bare one: that
# list less api/hosted-only.list, with api/bare-only.list.
function(portls_configured_symbols root hosted variable)
    file(STRINGS "${root}/api/symbols.list" symbols)
    if(NOT hosted)
        file(STRINGS "${root}/api/hosted-only.list" absent)
        foreach(symbol IN LISTS absent)
            if(NOT symbol IN_LIST symbols)
                message(SEND_ERROR
                    "${symbol} is in api/hosted-only.list, but not in api/symbols.list")
            endif()
        endforeach()
        list(REMOVE_ITEM symbols ${absent})
        file(STRINGS "${root}/api/bare-only.list" more)
        list(APPEND symbols ${more})
        list(SORT symbols)
    endif()
    set(${variable} "${symbols}" PARENT_SCOPE)
endfunction()
