/* Checks a path that a TLS library has accepted. */
#include "core/x509/path.h"

portls_verify_reason path_check_accepted(const struct backend_blob *certificates, size_t count,
                                         bool peer_is_server, size_t *depth) {
    struct certificate parsed[CHAIN_PATH_MAX];
    struct path path = {.length = 0};
    struct name_check check;
    *depth = 0;
    if (count == 0 || count > CHAIN_PATH_MAX) {
        return count == 0 ? PORTLS_VERIFY_NO_CERTIFICATE : PORTLS_VERIFY_LIMIT;
    }
    for (size_t i = 0; i < count; i++) {
        *depth = i;
        if (!certificate_parse(&certificates[i], &parsed[i])) {
            return PORTLS_VERIFY_MALFORMED;
        }
        path.certificates[path.length++] = &parsed[i];
    }
    portls_verify_reason reason = path_check_extensions(&path, peer_is_server, depth);
    if (reason == PORTLS_VERIFY_OK) {
        reason = path_check_strength(&path, depth);
    }
    return reason == PORTLS_VERIFY_OK ? path_check_names(&path, &check, depth) : reason;
}
