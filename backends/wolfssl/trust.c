/* The trusted roots of a context: copied and parsed once, then read-only. */
#include "backends/wolfssl/wolfssl.h"

portls_status trust_load(struct backend_context *context, const struct backend_settings *settings,
                         portls_error *error) {
    size_t size = 0;
    for (size_t i = 0; i < settings->roots_count; i++) {
        size += settings->roots[i].size;
    }
    if (settings->roots_count == 0) {
        return PORTLS_OK;
    }
    context->roots =
        XMALLOC(settings->roots_count * sizeof *context->roots, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    context->roots_der = XMALLOC(size + 1, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (context->roots == NULL || context->roots_der == NULL) {
        return fail_no_memory(error);
    }
    uint8_t *destination = context->roots_der;
    for (size_t i = 0; i < settings->roots_count; i++) {
        memcpy(destination, settings->roots[i].bytes, settings->roots[i].size);
        struct backend_blob der = {destination, settings->roots[i].size};
        if (!certificate_parse(&der, &context->roots[i])) {
            return backend_fail(error, PORTLS_BAD_CERTIFICATE,
                                "certificate %zu of the %zu in the trusted roots is no X.509 "
                                "certificate",
                                i + 1, settings->roots_count);
        }
        destination += der.size;
    }
    context->roots_count = settings->roots_count;
    return PORTLS_OK;
}
