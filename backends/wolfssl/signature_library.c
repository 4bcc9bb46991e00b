/* Checks signatures with wolfSSL's own call. */
#include "backends/wolfssl/signature.h"

#include "backends/wolfssl/wolfssl.h"
#include "core/x509/pss.h"

#define OID_PKCS1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01"

/* Returns wolfSSL's number for the kind of a key, and sets the form in which wolfSSL takes it: the
   bare key, or for EC the SubjectPublicKeyInfo, which names the curve. Returns 0 for other kinds.
 */
static int kind_of(const struct certificate *issuer, const struct backend_blob **key) {
    const struct backend_blob *type = &issuer->key_type;
    *key = &issuer->key_bits;
    if (DER_IS_OID(type, OID_PKCS1 "\x01")) {
        return RSAk;
    }
    if (DER_IS_OID(type, OID_PKCS1 "\x0a")) {
        return RSAPSSk;
    }
    if (DER_IS_OID(type, "\x2b\x65\x70")) {
        return ED25519k;
    }
    if (DER_IS_OID(type, "\x2b\x65\x71")) {
        return ED448k;
    }
    *key = &issuer->key;
    return DER_IS_OID(type, "\x2a\x86\x48\xce\x3d\x02\x01") ? ECDSAk : 0;
}

bool signature_is_valid(const struct certificate *certificate, const struct certificate *issuer) {
    const struct backend_blob *key = NULL;
    struct pss pss;
    int kind = kind_of(issuer, &key);
    bool is_pss = DER_IS_OID(&certificate->signature_type, OID_PKCS1 "\x0a");
    if (kind == 0 || certificate->der.size > INT32_MAX ||
        (is_pss && !pss_signature(certificate, issuer, &pss))) {
        return false;
    }
    return wc_CheckCertSigPubKey(certificate->der.bytes, (word32)certificate->der.size, NULL,
                                 key->bytes, (word32)key->size, kind) == 0;
}
