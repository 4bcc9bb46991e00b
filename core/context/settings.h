/* A context's declarative content, from which snapshots are compiled. */
#ifndef CORE_CONTEXT_SETTINGS_H
#define CORE_CONTEXT_SETTINGS_H

#include <stdbool.h>

#include "core/x509/pem.h"
#include "portls/context.h"

struct settings {
    portls_role role;
    portls_protocol protocol;
    bool verify;
    bool verify_hostname;
    struct certificate_list chain;
    struct certificate_list next_chain; /* of a new identity, until its key is loaded; else empty */
    struct private_key key;
    struct certificate_list roots;
    struct certificate_list authorities;
};

/* Wipes and frees what the settings hold. */
void settings_clear(struct settings *settings);

/*
 * Whether such a context can be made: PORTLS_OK; PORTLS_UNSUPPORTED (SSLv2, SSLv3, or a version
 * that `capabilities` lack); PORTLS_INVALID_ARGUMENT (no such protocol; PORTLS_SECURE for a
 * server).
 */
portls_status settings_check_protocol(portls_role role, portls_protocol protocol,
                                      uint32_t capabilities, portls_error *error);

/* The settings as a backend takes them; points into `settings`. */
struct backend_settings settings_for_backend(const struct settings *settings,
                                             uint32_t capabilities);

#endif
