/* Whether the TLS library is available, which one it is, and what it can do. */
#ifndef PORTLS_AVAILABLE_H
#define PORTLS_AVAILABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/export.h"

PORTLS_BEGIN_DECLS

/**
 * Returns whether the TLS library was found and initialised (manual: ssl-available?). A build with
 * a `loaded` backend loads it from a file; initialising it may fail in any build. While false,
 * every call that needs TLS returns PORTLS_UNAVAILABLE. The first call that needs the TLS library
 * initialises it, which may read files; later ones do not block. Any thread.
 */
PORTLS_API bool portls_available(void);

/**
 * Returns why the TLS library is not available: which file is missing or unusable, and why (manual:
 * ssl-load-fail-reason). NULL when portls_available returns true. The text is the library's and
 * stays valid until the process ends. The first call that needs the TLS library initialises it,
 * which may read files; later ones do not block. Any thread.
 */
PORTLS_API const char *portls_load_fail_reason(void);

/**
 * Returns the version of portls, such as "1.2.3". Never NULL; static. Does not block. Any thread.
 */
PORTLS_API const char *portls_version(void);

/**
 * Returns the backend of this build: "openssl", "libtls" or "wolfssl". Never NULL; static. Does not
 * block. Any thread.
 */
PORTLS_API const char *portls_backend_name(void);

/**
 * Returns the name and version of the TLS library, as it reports them; "" while it is not
 * available. Never NULL; valid until the process ends. The first call that needs the TLS library
 * initialises it, which may read files; later ones do not block. Any thread.
 */
PORTLS_API const char *portls_backend_version(void);

/**
 * Lists what a backend may lack: bit, name, meaning. A call that asks for a missing capability
 * returns PORTLS_UNSUPPORTED; none is silently ignored.
 */
#define PORTLS_CAPABILITY_MAP(X)                                                                   \
    X(0, TLS12, "TLS 1.2")                                                                         \
    X(1, TLS13, "TLS 1.3")                                                                         \
    X(2, SUGGESTED_AUTHORITIES, "a server sends suggested authorities in TLS 1.2")                 \
    X(3, SUGGESTED_AUTHORITIES_13, "a server sends suggested authorities in TLS 1.3")              \
    X(4, VERIFY_REASON, "a refused certificate is reported with its reason")                       \
    X(5, ED25519, "Ed25519 certificates")                                                          \
    X(6, STDIO, "ports as FILE streams of the C library")                                          \
    X(7, ALPN, "application protocols are negotiated")

/** The bits of portls_capabilities. */
typedef enum portls_capability {
#define PORTLS_CAPABILITY_ENUM(bit, name, text) PORTLS_CAN_##name = 1 << (bit),
    PORTLS_CAPABILITY_MAP(PORTLS_CAPABILITY_ENUM)
#undef PORTLS_CAPABILITY_ENUM
} portls_capability;

/**
 * Returns the capabilities of this build, PORTLS_CAN_… or-ed together; 0 while the TLS library is
 * not available. PORTLS_CAN_STDIO depends on the C library, the others on the backend. The first
 * call that needs the TLS library initialises it, which may read files; later ones do not block.
 * Any thread.
 */
PORTLS_API uint32_t portls_capabilities(void);

PORTLS_END_DECLS

#endif
