/* What a context is told, and how a backend is told it. */
#include "core/context/settings.h"

#include "core/base/error.h"

enum { VERSION_TLS12 = 0x0303, VERSION_TLS13 = 0x0304 };

void settings_clear(struct settings *settings) {
    certificate_list_clear(&settings->chain);
    certificate_list_clear(&settings->next_chain);
    private_key_clear(&settings->key);
    certificate_list_clear(&settings->roots);
    certificate_list_clear(&settings->authorities);
}

portls_status settings_check_protocol(portls_role role, portls_protocol protocol,
                                      uint32_t capabilities, portls_error *error) {
    switch (protocol) {
    case PORTLS_SSLV2_OR_V3:
    case PORTLS_TLS:
        return PORTLS_OK;
    case PORTLS_SSLV2:
    case PORTLS_SSLV3:
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "SSL %d is broken and no TLS library speaks it any more: use PORTLS_AUTO",
                          protocol == PORTLS_SSLV2 ? 2 : 3);
    case PORTLS_TLS12:
        return (capabilities & PORTLS_CAN_TLS12) != 0
                   ? PORTLS_OK
                   : error_fail(error, PORTLS_UNSUPPORTED,
                                "this backend does not speak TLS 1.2: use PORTLS_AUTO");
    case PORTLS_TLS13:
        return (capabilities & PORTLS_CAN_TLS13) != 0
                   ? PORTLS_OK
                   : error_fail(error, PORTLS_UNSUPPORTED,
                                "this backend does not speak TLS 1.3: use PORTLS_AUTO");
    case PORTLS_SECURE:
        return role == PORTLS_CLIENT
                   ? PORTLS_OK
                   : error_fail(error, PORTLS_INVALID_ARGUMENT,
                                "PORTLS_SECURE is for clients: a server context takes PORTLS_AUTO "
                                "and, to require client certificates, portls_set_verify");
    }
    return error_fail(error, PORTLS_INVALID_ARGUMENT, "%d is no value of portls_protocol",
                      (int)protocol);
}

struct backend_settings settings_for_backend(const struct settings *settings,
                                             uint32_t capabilities) {
    bool only12 = settings->protocol == PORTLS_TLS12 || (capabilities & PORTLS_CAN_TLS13) == 0;
    bool only13 = settings->protocol == PORTLS_TLS13 || (capabilities & PORTLS_CAN_TLS12) == 0;
    return (struct backend_settings){
        .role = settings->role,
        .lowest_version = only13 ? VERSION_TLS13 : VERSION_TLS12,
        .highest_version = only12 ? VERSION_TLS12 : VERSION_TLS13,
        .verify = settings->verify,
        .chain = settings->chain.blobs,
        .chain_count = settings->chain.count,
        .key = {settings->key.bytes, settings->key.size},
        .key_format = settings->key.format,
        .roots = settings->roots.blobs,
        .roots_count = settings->roots.count,
        .authorities = settings->authorities.blobs,
        .authorities_count = settings->authorities.count,
    };
}
