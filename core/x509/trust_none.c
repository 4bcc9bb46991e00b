/* Without an operating system there are no system roots. Bare builds only. */
#include "core/base/error.h"
#include "core/x509/credentials.h"

portls_status trust_load_system(struct certificate_list *list, size_t *skipped,
                                portls_error *error) {
    (void)list;
    (void)skipped;
    return error_fail(
        error, PORTLS_UNSUPPORTED,
        "a bare build has no system roots, which PORTLS_SECURE needs: use PORTLS_AUTO, "
        "portls_load_verify_root_certificates_data and portls_set_verify");
}
