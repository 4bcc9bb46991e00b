/* What a server chooses by the client's first message: its certificate, or a whole context. Hosted
   builds only. */
#ifndef PORTLS_CHOICE_H
#define PORTLS_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/context.h"
#include "portls/error.h"
#include "portls/export.h"

PORTLS_BEGIN_DECLS

/**
 * A ClientHello (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2). All of it is untrusted: any
 * client can say anything. It never changes; any number of threads may read it.
 */
typedef struct portls_client_hello portls_client_hello;

/** The lists of code points of a ClientHello, which IANA's TLS registries name. */
typedef enum portls_hello_list {
    PORTLS_HELLO_VERSIONS = 0,          /**< 0x0303 is TLS 1.2, 0x0304 TLS 1.3 */
    PORTLS_HELLO_SUITES = 1,            /**< cipher suites */
    PORTLS_HELLO_GROUPS = 2,            /**< key exchange groups */
    PORTLS_HELLO_SIGNATURE_SCHEMES = 3, /**< for certificates and handshakes */
    PORTLS_HELLO_EXTENSIONS = 4         /**< the types of the extensions */
} portls_hello_list;

/**
 * Returns the server name that the client asks for (RFC 6066, section 3), as it spelled it; "" for
 * none. Never NULL. Borrowed from `hello`. Does not block. Any thread.
 */
PORTLS_API const char *portls_hello_server_name(const portls_client_hello *hello);

/**
 * Returns the code points of a list in the client's order, with the reserved ones that clients mix
 * in (RFC 8701).
 * @param hello a ClientHello
 * @param list  which list
 * @param count receives the number of code points, 0 for an absent list
 * @return the first code point, or NULL with a count of 0. Borrowed from `hello`. Does not block.
 *         Any thread.
 */
PORTLS_API const uint16_t *portls_hello_codes(const portls_client_hello *hello,
                                              portls_hello_list list, size_t *count);

/**
 * Returns an application protocol that the client offers (ALPN, RFC 7301), in its order.
 * @param hello a ClientHello
 * @param index of the protocol, from 0
 * @param size  receives the length in bytes; may be NULL. A name with a NUL byte is longer than its
 *              text
 * @return the name with a NUL byte behind it, or NULL when there are not so many. Borrowed from
 *         `hello`. Does not block. Any thread.
 */
PORTLS_API const char *portls_hello_alpn(const portls_client_hello *hello, size_t index,
                                         size_t *size);

/* ---- several certificates ---- */

/**
 * Adds an identity, a chain with its key, to those that a server chooses from (RFC 6066, section
 * 3).
 *
 * The server uses the first identity that has exactly the name that the client asks for among its
 * subject alternative names, else the first that has a wildcard for it, else the first of all. The
 * identity of portls_load_certificate_chain comes before those that were added. Of several
 * identities for a name, such as one with an ECDSA key and one with an RSA key, the server uses the
 * first that the client can verify, judging by its signature schemes and cipher suites.
 * @param context    a server context that is not sealed, or a listener's (portls_listener_context)
 * @param chain      `chain_size` bytes of PEM, copied: the server's certificate, then its issuers
 * @param chain_size of `chain`
 * @param key        `key_size` bytes of PEM with a key of any kind, copied; may be `chain`
 * @param key_size   of `key`
 * @param error      may be NULL
 * @return PORTLS_OK; PORTLS_BAD_CERTIFICATE; PORTLS_BAD_KEY; PORTLS_KEY_ENCRYPTED;
 *         PORTLS_KEY_MISMATCH; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (also a client context);
 *         PORTLS_SEALED; PORTLS_NO_MEMORY. A failure changes nothing. Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_add_identity_data(portls_context *context,
                                                                  const void *chain,
                                                                  size_t chain_size,
                                                                  const void *key, size_t key_size,
                                                                  portls_error *error);

/**
 * Adds an identity from files, as portls_add_identity_data does from memory. For a name the server
 * uses the first identity with exactly this name, else the first with a wildcard for it, else the
 * first of all; of several for the name the first that the client can verify.
 * @param context    a server context that is not sealed, or a listener's (portls_listener_context)
 * @param chain_path a PEM file: the server's certificate, then its issuers
 * @param key_path   a PEM file with a key of any kind; may be `chain_path`
 * @param error      may be NULL
 * @return PORTLS_OK; PORTLS_FILE; PORTLS_BAD_CERTIFICATE; PORTLS_BAD_KEY; PORTLS_KEY_ENCRYPTED;
 *         PORTLS_KEY_MISMATCH; PORTLS_INVALID_ARGUMENT; PORTLS_WRONG_KIND (also a client context);
 *         PORTLS_SEALED; PORTLS_NO_MEMORY. A failure changes nothing. Blocks for the files. Any
 *         thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_add_identity(portls_context *context,
                                                             const char *chain_path,
                                                             const char *key_path,
                                                             portls_error *error);

/**
 * Has a server refuse clients that ask for a name that none of its certificates is for, with the
 * alert unrecognized_name (RFC 6066, section 3). Off by default: they get the first certificate.
 * Clients that ask for no name get it in either case.
 * @param context a server context that is not sealed, or a listener's (portls_listener_context)
 * @param refuse  true: on
 * @param error   may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (also a client context); PORTLS_SEALED; PORTLS_NO_MEMORY.
 *         Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_refuse_unknown_names(portls_context *context,
                                                                         bool refuse,
                                                                         portls_error *error);

/* ---- choosing a context ---- */

/** What a chooser decides. All zeros, as it is passed in: the context of the listener or the wrap.
 */
typedef struct portls_choice {
    portls_context *context; /**< borrowed; a server context to use instead; NULL: none */
    bool refuse;             /**< refuses the client, with the alert */
    uint8_t alert;           /**< a fatal alert (RFC 8446, section 6.2); 0: access_denied (49) */
} portls_choice;

/**
 * Chooses by a ClientHello. Called once for each connection that begins, in the thread that does
 * the handshake, with no lock held but the connection's: it must not use the ports of that
 * connection.
 * @param argument of portls_set_context_chooser
 * @param hello    what the client said, untrusted. Borrowed for the call; with PORTLS_WANT_READ
 *                 valid until portls_resume_handshake
 * @param choice   to be filled
 * @return PORTLS_OK: as `choice` says; PORTLS_WANT_READ: the program calls portls_resume_handshake
 *         later. Any other status refuses the client with internal_error
 */
typedef portls_status portls_context_chooser(void *argument, portls_client_hello *hello,
                                             portls_choice *choice);

/**
 * Has a function choose the context of each connection by the client's first message: the
 * certificate, trust, verification and protocols of the context that it chooses. That context's own
 * chooser is not asked.
 * @param context  a server context that is not sealed, or a listener's (portls_listener_context)
 * @param chooser  called for each connection; NULL: none
 * @param argument passed to `chooser`; outlives the connections of the context
 * @param error    may be NULL
 * @return PORTLS_OK; PORTLS_WRONG_KIND (also a client context); PORTLS_SEALED; PORTLS_NO_MEMORY.
 *         Does not block. Any thread.
 */
PORTLS_API PORTLS_MUST_USE portls_status portls_set_context_chooser(portls_context *context,
                                                                    portls_context_chooser *chooser,
                                                                    void *argument,
                                                                    portls_error *error);

/**
 * Continues a handshake whose chooser returned PORTLS_WANT_READ, and wakes the calls that wait for
 * it. Call it exactly once for each of these handshakes. The chooser itself may call it. If the
 * connection has ended meanwhile, it only frees `hello`. Does not block. Any thread.
 * @param hello  the ClientHello that the chooser was given; not valid afterwards
 * @param choice read during the call; NULL: the context of the listener or the wrap
 */
PORTLS_API void portls_resume_handshake(portls_client_hello *hello, const portls_choice *choice);

PORTLS_END_DECLS

#endif
