/* Is the TLS library there, which is it, and what can it do (manual: ssl-available?). */
#ifndef PORTLS_AVAILABLE_H
#define PORTLS_AVAILABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/export.h"

PORTLS_BEGIN_DECLS

/**
 * Whether the TLS library was found and initialised (manual: ssl-available?). Always true in a
 * build with `linked` backend. In a build with a `loaded` one the first call loads it. When false,
 * every call that needs TLS returns PORTLS_UNAVAILABLE. Any thread.
 */
PORTLS_API bool portls_available(void);

/**
 * Why the TLS library is not available: which file was not found or not usable, and why
 * (manual: ssl-load-fail-reason). NULL when portls_available() is true. The text belongs to the
 * library and stays valid. Any thread.
 */
PORTLS_API const char *portls_load_fail_reason(void);

/** portls's own version, "1.2.3". Never NULL. */
PORTLS_API const char *portls_version(void);

/** The backend this build was made for: "openssl", "libtls" or "wolfssl". Never NULL. */
PORTLS_API const char *portls_backend_name(void);

/** The TLS library's own name and version, as it reports it; "" when it is not available. */
PORTLS_API const char *portls_backend_version(void);

/**
 * What a backend may or may not be able to do: bit, name, what it means. What is off is refused
 * with PORTLS_UNSUPPORTED by the call that asks for it, never ignored.
 */
#define PORTLS_CAPABILITY_MAP(X)                                                                   \
    X(0, TLS12, "TLS 1.2")                                                                         \
    X(1, TLS13, "TLS 1.3")                                                                         \
    X(2, SUGGESTED_AUTHORITIES, "a server sends suggested authorities in TLS 1.2")                 \
    X(3, SUGGESTED_AUTHORITIES_13, "a server sends suggested authorities in TLS 1.3")              \
    X(4, VERIFY_REASON, "a refused certificate is reported with its reason")                       \
    X(5, ED25519, "Ed25519 certificates")                                                          \
    X(6, STDIO, "ports as FILE streams of the C library")

typedef enum portls_capability {
#define PORTLS_CAPABILITY_ENUM(bit, name, text) PORTLS_CAN_##name = 1 << (bit),
    PORTLS_CAPABILITY_MAP(PORTLS_CAPABILITY_ENUM)
#undef PORTLS_CAPABILITY_ENUM
} portls_capability;

/**
 * The capabilities of this build, PORTLS_CAN_… or-ed together; 0 when the backend is unavailable.
 * All but STDIO, which the C library decides, are the backend's.
 */
PORTLS_API uint32_t portls_capabilities(void);

PORTLS_END_DECLS

#endif
