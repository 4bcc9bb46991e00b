/* Trusted roots: copied and parsed once, shared by all contexts with these roots. */
#include "backends/wolfssl/key.h"

/* Makes room for `count` roots of `size` bytes in all. Returns NULL if out of memory. */
static struct backend_trust *allocate(size_t count, size_t size) {
    struct backend_trust *made = XMALLOC(sizeof *made, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (made == NULL) {
        return NULL;
    }
    *made = (struct backend_trust){
        .count = count,
        .roots = XMALLOC(count * sizeof *made->roots, NULL, DYNAMIC_TYPE_TMP_BUFFER),
        .der = XMALLOC(size, NULL, DYNAMIC_TYPE_TMP_BUFFER)};
    if (made->roots == NULL || made->der == NULL) {
        trust_free(made);
        return NULL;
    }
    return made;
}

/* Parses a certificate and its key. Fills `error` on failure; the 1-based `position` names it. */
static portls_status parse(const struct backend_blob *der, struct certificate *certificate,
                           size_t position, size_t count, portls_error *error) {
    if (!certificate_parse(der, certificate)) {
        return backend_fail(error, PORTLS_BAD_CERTIFICATE,
                            "certificate %zu of the %zu in the trusted roots is not a valid X.509 "
                            "certificate",
                            position, count);
    }
    bool no_memory = false;
    struct key *key = key_of_certificate(certificate, &no_memory);
    if (key == NULL && !no_memory) {
        return backend_fail(error, PORTLS_BAD_CERTIFICATE,
                            "certificate %zu of the %zu in the trusted roots has a public key of "
                            "a kind that wolfSSL does not support",
                            position, count);
    }
    key_free(key);
    return no_memory ? fail_no_memory(error) : PORTLS_OK;
}

portls_status trust_new(const struct backend_blob *roots, size_t count,
                        struct backend_trust **trust, portls_error *error) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += roots[i].size;
    }
    struct backend_trust *made = allocate(count, size);
    if (made == NULL) {
        return fail_no_memory(error);
    }
    uint8_t *destination = made->der;
    for (size_t i = 0; i < count; i++) {
        memcpy(destination, roots[i].bytes, roots[i].size);
        struct backend_blob der = {destination, roots[i].size};
        portls_status status = parse(&der, &made->roots[i], i + 1, count, error);
        thread_used_keys();
        if (status != PORTLS_OK) {
            trust_free(made);
            return status;
        }
        destination += der.size;
    }
    *trust = made;
    return PORTLS_OK;
}

void trust_free(struct backend_trust *trust) {
    XFREE(trust->roots, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    XFREE(trust->der, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    XFREE(trust, NULL, DYNAMIC_TYPE_TMP_BUFFER);
}
