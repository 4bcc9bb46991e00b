/* What a handshake negotiates beside the keys: the application protocol. */
#ifndef PORTLS_NEGOTIATION_H
#define PORTLS_NEGOTIATION_H

#include <stddef.h>

#include "portls/context.h"
#include "portls/error.h"
#include "portls/export.h"
#include "portls/port.h"

PORTLS_BEGIN_DECLS

/** What happens when the two sides have no application protocol in common. */
typedef enum portls_alpn_policy {
    PORTLS_ALPN_OPTIONAL =
        0, /**< the connection has none; also with a peer that does not know ALPN */
    PORTLS_ALPN_REQUIRED = 1 /**< the handshake fails; a server sends no_application_protocol */
} portls_alpn_policy;

/** The most bytes that the names of a list have, with one more for each name. */
#define PORTLS_ALPN_MAX 1024

/**
 * Sets the application protocols that connections of a context speak (ALPN, RFC 7301), in order of
 * preference. A client offers the list; a server selects the first name in its list that the client
 * offers.
 * @param context a context that is not sealed, or a listener's (portls_listener_context)
 * @param names   `count` names of 1 to 255 bytes without a comma, such as "h2" and "http/1.1",
 *                copied; may be NULL with a count of 0
 * @param count   of names; 0: no ALPN
 * @param policy  what happens without a common protocol
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_INVALID_ARGUMENT (an empty name, a name twice, too long, or with a
 * comma; more than PORTLS_ALPN_MAX bytes; no such policy; PORTLS_ALPN_REQUIRED without names);
 *         PORTLS_UNSUPPORTED (PORTLS_CAN_ALPN is off; a server context in a bare build);
 *         PORTLS_WRONG_KIND; PORTLS_SEALED (a shared protocol context); PORTLS_NO_MEMORY. A failure
 *         changes nothing. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_alpn(portls_context *context,
                                                         const char *const *names, size_t count,
                                                         portls_alpn_policy policy,
                                                         portls_error *error);

/**
 * Returns the application protocol of an SSL port (ALPN, RFC 7301); "" for none. NULL before the
 * handshake is done and for other ports. It is one of the names that this side set. Borrowed from
 * the connection, until both of its ports are closed. Does not block. Any thread, while the input
 * port is open.
 */
PORTLS_API const char *portls_alpn(const portls_input_port *ssl_in);

PORTLS_END_DECLS

#endif
