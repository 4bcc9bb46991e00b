/* Statuses and errors: what a fallible call returns, and how it explains a failure. */
#ifndef PORTLS_ERROR_H
#define PORTLS_ERROR_H

#include <stdint.h>

#include "portls/export.h"
#include "portls/features.h"

PORTLS_BEGIN_DECLS

/**
 * Lists every status: value, name, English text. The first four are not errors. Values never change
 * (docs/abi.md); new ones are added at the end.
 */
#define PORTLS_STATUS_MAP(X)                                                                       \
    X(0, OK, "success")                                                                            \
    X(1, EOF, "end of the stream")                                                                 \
    X(2, WANT_READ, "would have to wait until the underlying input port has bytes")                \
    X(3, WANT_WRITE, "would have to wait until the underlying output port has room")               \
    X(10, INVALID_ARGUMENT, "an argument is out of its range")                                     \
    X(11, WRONG_KIND, "the handle is of another kind than this call takes")                        \
    X(12, CLOSED, "the port or listener is closed")                                                \
    X(13, IN_USE, "the port is already wrapped by another stream")                                 \
    X(14, SEALED, "the context is sealed and cannot be changed so")                                \
    X(15, UNSUPPORTED, "the backend or this build cannot do that")                                 \
    X(16, UNAVAILABLE, "the TLS library could not be loaded")                                      \
    X(17, NO_MEMORY, "out of memory")                                                              \
    X(18, OS, "the operating system refused")                                                      \
    X(20, FILE, "a file could not be read")                                                        \
    X(21, BAD_CERTIFICATE, "a certificate could not be understood")                                \
    X(22, BAD_KEY, "a private key could not be understood")                                        \
    X(23, KEY_ENCRYPTED, "the private key is encrypted")                                           \
    X(24, KEY_MISMATCH, "the private key does not belong to the certificate")                      \
    X(25, NO_CERTIFICATE, "the server has no certificate or no key")                               \
    X(30, RESOLVE, "the host name could not be resolved")                                          \
    X(31, CONNECT, "the TCP connection could not be made")                                         \
    X(32, LISTEN, "the address could not be listened on")                                          \
    X(33, IO, "the underlying port failed")                                                        \
    X(34, HANDSHAKE, "the TLS handshake failed")                                                   \
    X(35, VERIFY, "the peer's certificate was refused")                                            \
    X(36, PROTOCOL, "the peer broke the TLS protocol")                                             \
    X(37, TRUNCATED, "the stream ended without the peer's close_notify")                           \
    X(38, BREAK, "a break was set")                                                                \
    X(39, DEADLINE, "the deadline passed")

/** The result of a call. PORTLS_OK is 0; the first four are not errors. */
typedef enum portls_status {
#define PORTLS_STATUS_ENUM(value, name, text) PORTLS_##name = (value),
    PORTLS_STATUS_MAP(PORTLS_STATUS_ENUM)
#undef PORTLS_STATUS_ENUM
} portls_status;

/** The manual's exception of an error: exn:fail or exn:fail:network (manual, section 3). */
typedef enum portls_error_class {
    PORTLS_CLASS_NONE = 0, /**< no error */
    PORTLS_CLASS_FAIL = 1, /**< exn:fail */
    PORTLS_CLASS_NETWORK =
        2, /**< exn:fail:network: connect, accept, and the ports that they return */
} portls_error_class;

/**
 * Lists why a peer's certificate is refused: value, name, English text. Every backend uses the same
 * reasons. A TLS library that gives no reason leads to OTHER.
 */
#define PORTLS_VERIFY_MAP(X)                                                                       \
    X(0, OK, "nothing was refused")                                                                \
    X(1, NO_CERTIFICATE, "the peer sent no certificate")                                           \
    X(2, NO_ROOTS, "verification is on, but no trusted roots are loaded")                          \
    X(3, UNTRUSTED, "the chain does not lead to a trusted root")                                   \
    X(4, SELF_SIGNED, "the certificate is self-signed and not trusted")                            \
    X(5, EXPIRED, "a certificate of the chain has expired")                                        \
    X(6, NOT_YET_VALID, "a certificate of the chain is not valid yet")                             \
    X(7, NAME, "the certificate is not for the host that was asked for")                           \
    X(8, PURPOSE, "the certificate is for another purpose")                                        \
    X(9, CONSTRAINT, "a constraint of the chain is violated (path length, name, CA)")              \
    X(10, SIGNATURE, "a signature in the chain is wrong or too weak")                              \
    X(11, REVOKED, "a certificate of the chain is revoked")                                        \
    X(12, OTHER, "the chain was refused")                                                          \
    X(13, MALFORMED, "a certificate of the chain is malformed")                                    \
    X(14, LIMIT, "the chain has more certificates, or larger ones, than are taken")

/** Why a peer's certificate was refused. */
typedef enum portls_verify_reason {
#define PORTLS_VERIFY_ENUM(value, name, text) PORTLS_VERIFY_##name = (value),
    PORTLS_VERIFY_MAP(PORTLS_VERIFY_ENUM)
#undef PORTLS_VERIFY_ENUM
} portls_verify_reason;

/** The size of `message` in portls_error, with its zero byte. */
#define PORTLS_ERROR_MESSAGE_SIZE 320

/**
 * What went wrong. The caller allocates it and need not clear it; every fallible call takes a
 * pointer to one as its last argument, which may be NULL. `message` is empty on PORTLS_OK,
 * PORTLS_EOF, PORTLS_WANT_READ and PORTLS_WANT_WRITE, and always in a library built without
 * PORTLS_WITH_MESSAGES. The first cause is kept: a failure while cleaning up does not replace it.
 */
typedef struct portls_error {
    portls_status status;           /**< the status that the call returned */
    portls_error_class error_class; /**< the manual's exception */
    int os_errno;                   /**< the system's error number; 0 for none */
    int alert; /**< the TLS alert sent or received (RFC 8446, section 6); -1 for none */
    portls_verify_reason verify_reason;      /**< why, with PORTLS_VERIFY */
    int64_t backend_code;                    /**< the TLS library's own code; 0 for none */
    int64_t reserved[2];                     /**< 0; room for members of later versions */
    char message[PORTLS_ERROR_MESSAGE_SIZE]; /**< English, one line, always terminated */
} portls_error;

/**
 * Returns the name of a status, such as "PORTLS_EOF"; "PORTLS_?" for a value that is none. Never
 * NULL; static. Does not block. Any thread.
 */
PORTLS_API const char *portls_status_name(portls_status status);

/**
 * Returns the English text of a status. Never NULL; static, not translated. Does not block. Any
 * thread.
 */
PORTLS_API const char *portls_status_text(portls_status status);

/**
 * Returns the English text of a verify reason. Never NULL; static, not translated. Does not block.
 * Any thread.
 */
PORTLS_API const char *portls_verify_reason_text(portls_verify_reason reason);

PORTLS_END_DECLS

#endif
