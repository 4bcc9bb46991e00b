/* The shared, sealed contexts that stand for a protocol symbol (manual: client-protocol). */
#include "core/context.h"
#include "core/error.h"

enum { PROTOCOLS = PORTLS_SECURE + 1 };

static struct {
    os_once_flag once;
    portls_context *context; /* made on first use, kept for the life of the process */
} shared[2][PROTOCOLS];

/* Where making fails the failure itself is handed out, so that the next call can report it. */
static portls_context failed[2][PROTOCOLS];
static portls_context no_such_protocol[2];

static portls_context *make_failed(portls_context *place, portls_role role) {
    place->seal = CONTEXT_SEALED;
    place->settings.role = role;
    place->handle.kind = role == PORTLS_CLIENT ? HANDLE_CLIENT_CONTEXT : HANDLE_SERVER_CONTEXT;
    return place;
}

static void make_one(portls_role role, portls_protocol protocol) {
    portls_context *context = NULL;
    portls_error error;
    error_begin(&error);
    if (context_make(role, protocol, &context, &error) == PORTLS_OK) {
        context->seal = CONTEXT_SEALED;
    } else {
        context = &failed[role][protocol];
        context->failure = error;
        (void)make_failed(context, role);
    }
    shared[role][protocol].context = context;
}

/* os_once takes a function without arguments, hence one for each pair. */
#define PROTOCOL_MAP(X, role)                                                                      \
    X(role, PORTLS_SSLV2_OR_V3)                                                                    \
    X(role, PORTLS_SSLV2)                                                                          \
    X(role, PORTLS_SSLV3)                                                                          \
    X(role, PORTLS_TLS)                                                                            \
    X(role, PORTLS_TLS12)                                                                          \
    X(role, PORTLS_TLS13)                                                                          \
    X(role, PORTLS_SECURE)

#define MAKER(role, protocol)                                                                      \
    static void make_##role##_##protocol(void) {                                                   \
        make_one(role, protocol);                                                                  \
    }
PROTOCOL_MAP(MAKER, PORTLS_CLIENT)
PROTOCOL_MAP(MAKER, PORTLS_SERVER)
#undef MAKER

#define MAKER_ENTRY(role, protocol) [role][protocol] = make_##role##_##protocol,
static void (*const makers[2][PROTOCOLS])(void) = {PROTOCOL_MAP(MAKER_ENTRY, PORTLS_CLIENT)
                                                       PROTOCOL_MAP(MAKER_ENTRY, PORTLS_SERVER)};
#undef MAKER_ENTRY

static void make_no_such_protocol(void) {
    for (int role = PORTLS_CLIENT; role <= PORTLS_SERVER; role++) {
        portls_context *place = make_failed(&no_such_protocol[role], (portls_role)role);
        error_begin(&place->failure);
        (void)error_fail(&place->failure, PORTLS_INVALID_ARGUMENT,
                         "portls_protocol_context was given no value of portls_protocol");
    }
}

portls_context *portls_protocol_context(portls_role role, portls_protocol protocol) {
    int r = role == PORTLS_SERVER ? PORTLS_SERVER : PORTLS_CLIENT;
    int p = (int)protocol;
    if (p < 0 || p >= PROTOCOLS) {
        static os_once_flag once = OS_ONCE_INIT;
        os_once(&once, make_no_such_protocol);
        return &no_such_protocol[r];
    }
    os_once(&shared[r][p].once, makers[r][p]);
    return shared[r][p].context;
}
