/* Trusted roots: PEM text for the library, which parses it for each client connection, and parsed
   certificates for core/x509. */
#include <string.h>

#include "backends/libtls/libtls.h"

/*
 * The PEM label and what follows the DER of a certificate that is explicitly trusted for TLS
 * servers and clients: OpenSSL then ends a chain at it also where it is not self-signed. LibreSSL
 * ignores it.
 */
static const char trusted_label[] = "TRUSTED CERTIFICATE";
static const uint8_t trusted_for_tls[] = {
    0x30, 0x16, 0x30, 0x14,                                     /* trust: SEQUENCE OF OID */
    0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01, /* serverAuth */
    0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02, /* clientAuth */
};

/* Trusts nothing: without roots libtls would take the system's, and it takes no empty list. The key
   of this certificate exists no more, and it expired in 1970. */
static const char no_root[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBHzCBx6ADAgECAgEBMAoGCCqGSM49BAMCMBoxGDAWBgNVBAMMD25vIHRydXN0\n"
                              "ZWQgcm9vdDAeFw03MDAxMDEwMDAwMDBaFw03MDAxMDIwMDAwMDBaMBoxGDAWBgNV\n"
                              "BAMMD25vIHRydXN0ZWQgcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHkQ\n"
                              "p1GmA/XIj8pT6NSj+dKlmKUrCPoRUfA+PN3ULKTKhpW2B7Fn9KlY5EmDM00sqNwL\n"
                              "QuIjSc/GmL+KqP526eQwCgYIKoZIzj0EAwIDRwAwRAIgTN/4RGRSbFJwx8k/xx0v\n"
                              "Lr5Yc4r7+ayINzN5UrdAp+4CIFhix9X7jsDEtUe0JK7YxRufVbJzXqiiFODsum8n\n"
                              "9kP/\n"
                              "-----END CERTIFICATE-----\n";

bool trust_install(struct tls_config *config, const struct backend_trust *trust) {
    return trust != NULL
               ? tls_config_set_ca_mem(config, trust->pem.bytes, trust->pem.size) == 0
               : tls_config_set_ca_mem(config, (const uint8_t *)no_root, sizeof no_root - 1) == 0;
}

static ssize_t no_bytes(struct tls *tls, void *buffer, size_t size, void *argument) {
    (void)tls, (void)buffer, (void)size, (void)argument;
    return TLS_WANT_POLLIN;
}

static ssize_t no_space(struct tls *tls, const void *bytes, size_t size, void *argument) {
    (void)tls, (void)bytes, (void)size, (void)argument;
    return TLS_WANT_POLLOUT;
}

/* Returns whether the library can parse the roots: makes a connection that is never used. */
static bool library_parses(const struct pem *pem) {
    struct tls_config *config = tls_config_new();
    struct tls *tls = tls_client();
    bool parses =
        config != NULL && tls != NULL && tls_config_set_ca_mem(config, pem->bytes, pem->size) == 0;
    if (parses) {
        tls_config_insecure_noverifyname(config);
        parses = tls_configure(tls, config) == 0 &&
                 tls_connect_cbs(tls, no_bytes, no_space, NULL, NULL) == 0;
    }
    tls_free(tls);
    tls_config_free(config);
    return parses;
}

static portls_status fail_root(portls_error *error, size_t position, size_t count) {
    return backend_fail(error, PORTLS_BAD_CERTIFICATE,
                        "certificate %zu of the %zu in the trusted roots is no X.509 certificate "
                        "that libtls understands",
                        position, count);
}

/* Returns whether the key is of a kind that some library behind libtls knows. None tells before it
   meets a certificate that the root has issued. */
static bool is_known_key(const struct certificate *root) {
    const struct backend_blob *type = &root->key_type;
    return DER_IS_OID(type, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01") || /* RSA */
           DER_IS_OID(type, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a") || /* RSASSA-PSS */
           DER_IS_OID(type, "\x2a\x86\x48\xce\x38\x04\x01") ||         /* DSA */
           DER_IS_OID(type, "\x2a\x86\x48\xce\x3d\x02\x01") ||         /* EC */
           DER_IS_OID(type, "\x2b\x65\x70") ||                         /* Ed25519 */
           DER_IS_OID(type, "\x2b\x65\x71");                           /* Ed448 */
}

/* Names the root that the library cannot parse. */
static portls_status find_bad_root(const struct backend_trust *trust, portls_error *error) {
    for (size_t i = 0; i < trust->count; i++) {
        struct pem pem;
        if (!pem_encode("CERTIFICATE", &trust->roots[i].der, 1, &pem)) {
            break;
        }
        bool parses = library_parses(&pem);
        pem_free(&pem);
        if (!parses) {
            return fail_root(error, i + 1, trust->count);
        }
    }
    return fail_no_memory(error);
}

/* Copies the certificates, each with room behind it for what trusts it, and parses the copies. */
static portls_status copy(struct backend_trust *trust, const struct backend_blob *roots,
                          size_t count, portls_error *error) {
    uint8_t *at = trust->der;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, roots[i].bytes, roots[i].size);
        memcpy(at + roots[i].size, trusted_for_tls, sizeof trusted_for_tls);
        struct backend_blob der = {at, roots[i].size};
        if (!certificate_parse(&der, &trust->roots[i])) {
            return fail_root(error, i + 1, count);
        }
        if (!is_known_key(&trust->roots[i])) {
            return backend_fail(error, PORTLS_BAD_CERTIFICATE,
                                "certificate %zu of the %zu in the trusted roots has a public key "
                                "of an unknown kind",
                                i + 1, count);
        }
        at += der.size + sizeof trusted_for_tls;
    }
    trust->count = count;
    return PORTLS_OK;
}

static bool encode(struct backend_trust *trust) {
    struct backend_blob *blobs = core_memory->allocate(trust->count * sizeof *blobs);
    if (blobs == NULL) {
        return false;
    }
    for (size_t i = 0; i < trust->count; i++) {
        blobs[i] = trust->roots[i].der;
        blobs[i].size += sizeof trusted_for_tls;
    }
    bool encoded = pem_encode(trusted_label, blobs, trust->count, &trust->pem);
    core_memory->free(blobs);
    return encoded;
}

portls_status trust_new(const struct backend_blob *roots, size_t count,
                        struct backend_trust **trust, portls_error *error) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += roots[i].size + sizeof trusted_for_tls;
    }
    struct backend_trust *made = core_memory->zeroed(sizeof *made);
    if (made == NULL) {
        return fail_no_memory(error);
    }
    made->der = core_memory->allocate(size);
    made->roots = core_memory->allocate(count * sizeof *made->roots);
    if (made->der == NULL || made->roots == NULL) {
        trust_free(made);
        return fail_no_memory(error);
    }
    portls_status status = copy(made, roots, count, error);
    if (status == PORTLS_OK && !encode(made)) {
        status = fail_no_memory(error);
    }
    if (status == PORTLS_OK && !library_parses(&made->pem)) {
        status = find_bad_root(made, error);
    }
    if (status != PORTLS_OK) {
        trust_free(made);
        return status;
    }
    *trust = made;
    return PORTLS_OK;
}

void trust_free(struct backend_trust *trust) {
    pem_free(&trust->pem);
    core_memory->free(trust->roots);
    core_memory->free(trust->der);
    core_memory->free(trust);
}
