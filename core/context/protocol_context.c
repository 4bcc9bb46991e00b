/* The shared, sealed contexts that stand for a protocol symbol (manual: client-protocol). */
#include "core/context/context.h"
#include "core/base/error.h"

enum { PROTOCOLS = PORTLS_SECURE + 1 };

/* Made on first use, kept for the life of the process. */
static ATOMIC_OF(portls_context *) shared[2][PROTOCOLS];

/* Stand for those that could not be made, perhaps only for the moment: whoever uses one of them
   tries again, and is told what came of that. The last ones stand for what is no protocol. */
static portls_context unmade[2][PROTOCOLS + 1];

static void fill_unmade(void) {
    for (int protocol = 0; protocol <= PROTOCOLS; protocol++) {
        unmade[PORTLS_CLIENT][protocol].handle.kind = HANDLE_CLIENT_CONTEXT;
        unmade[PORTLS_SERVER][protocol].handle.kind = HANDLE_SERVER_CONTEXT;
        for (int role = PORTLS_CLIENT; role <= PORTLS_SERVER; role++) {
            unmade[role][protocol].seal = CONTEXT_SEALED;
            unmade[role][protocol].settings.role = (portls_role)role;
            unmade[role][protocol].settings.protocol = (portls_protocol)protocol;
        }
    }
}

static bool is_protocol(portls_protocol protocol) {
    return (unsigned)protocol < PROTOCOLS; /* a negative one is large then */
}

portls_status protocol_context_make(portls_role role, portls_protocol protocol,
                                    portls_context **context, portls_error *error) {
    if (!is_protocol(protocol)) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "portls_protocol_context was given no value of portls_protocol");
    }
    *context = atomic_load(&shared[role][protocol]);
    if (*context != NULL) {
        return PORTLS_OK;
    }
    portls_context *made = NULL;
    portls_status status = context_make(role, protocol, &made, error);
    if (status != PORTLS_OK) {
        return status;
    }
    made->seal = CONTEXT_SEALED;
    if (atomic_compare_exchange_strong(&shared[role][protocol], context, made)) {
        *context = made;
    } else {
        /* Another thread was faster. */
        made->seal = CONTEXT_OPEN;
        portls_free_context(made);
    }
    return PORTLS_OK;
}

portls_context *portls_protocol_context(portls_role role, portls_protocol protocol) {
    static os_once_flag once = OS_ONCE_INIT;
    portls_role known = role == PORTLS_SERVER ? PORTLS_SERVER : PORTLS_CLIENT;
    portls_context *context = NULL;
    if (protocol_context_make(known, protocol, &context, NULL) == PORTLS_OK) {
        return context;
    }
    os_once(&once, fill_unmade);
    return &unmade[known][is_protocol(protocol) ? (int)protocol : PROTOCOLS];
}
