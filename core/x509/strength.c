/* The strength of keys and signatures of certificates. */
#include "core/x509/strength.h"

enum { RSA_BITS_MIN = 2048, EC_BITS_MIN = 224 };

/* The beginnings of object identifiers. */
#define OID_PKCS1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define OID_X957  "\x2a\x86\x48\xce\x38\x04" /* DSA */
#define OID_X962  "\x2a\x86\x48\xce\x3d"     /* EC */

/* Returns the size of an RSA modulus in bits, without leading zeros. */
static size_t rsa_bits(const struct certificate *certificate) {
    struct backend_blob cursor = certificate->key_bits;
    struct backend_blob inside;
    struct backend_blob modulus;
    if (!der_take(&cursor, DER_SEQUENCE, &inside) || !der_take(&inside, DER_INTEGER, &modulus)) {
        return 0;
    }
    while (modulus.size > 0 && modulus.bytes[0] == 0) {
        modulus.bytes++;
        modulus.size--;
    }
    size_t bits = modulus.size * 8;
    for (unsigned mask = 0x80; bits > 0 && (modulus.bytes[0] & mask) == 0; mask >>= 1) {
        bits--;
    }
    return bits;
}

/* Returns whether the curve has a name and is large enough, by the size of the point, which is
   compressed (2, 3) or has two coordinates. */
static bool ec_is_strong(const struct certificate *certificate) {
    struct backend_blob parameters = certificate->key_parameters;
    struct backend_blob name;
    const struct backend_blob *point = &certificate->key_bits;
    if (!der_take(&parameters, DER_OID, &name) || parameters.size > 0 || point->size == 0) {
        return false;
    }
    bool compressed = point->bytes[0] == 2 || point->bytes[0] == 3;
    return (point->size - 1) / (compressed ? 1 : 2) * 8 >= EC_BITS_MIN;
}

bool strength_of_key(const struct certificate *certificate) {
    const struct backend_blob *type = &certificate->key_type;
    if (DER_IS_OID(type, OID_PKCS1 "\x01") || DER_IS_OID(type, OID_PKCS1 "\x0a")) {
        return rsa_bits(certificate) >= RSA_BITS_MIN;
    }
    if (DER_IS_OID(type, OID_X962 "\x02\x01")) {
        return ec_is_strong(certificate);
    }
    return !DER_IS_OID(type, OID_X957 "\x01");
}

/* Returns whether RSASSA-PSS-params name a hash of SHA-2 or SHA-3; the default is SHA-1. */
static bool pss_is_strong(struct backend_blob parameters) {
    static const uint8_t nist[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};
    struct backend_blob inside;
    struct backend_blob part;
    struct backend_blob algorithm;
    struct backend_blob hash;
    return der_take(&parameters, DER_SEQUENCE, &inside) &&
           der_take(&inside, DER_CONTEXT_CONSTRUCTED(0), &part) &&
           der_take(&part, DER_SEQUENCE, &algorithm) && der_take(&algorithm, DER_OID, &hash) &&
           hash.size == sizeof nist + 1 && memcmp(hash.bytes, nist, sizeof nist) == 0;
}

bool strength_of_signature(const struct certificate *certificate) {
    const struct backend_blob *type = &certificate->signature_type;
    if (DER_IS_OID(type, OID_PKCS1 "\x0a")) {
        return pss_is_strong(certificate->signature_parameters);
    }
    if (type->size == 9 && memcmp(type->bytes, OID_PKCS1, 8) == 0) {
        return type->bytes[8] > 5; /* 2, 3, 4, 5: MD2, MD4, MD5, SHA-1 with RSA */
    }
    return !DER_IS_OID(type, OID_X962 "\x04\x01") &&    /* ECDSA with SHA-1 */
           !DER_IS_OID(type, OID_X957 "\x03") &&        /* DSA with SHA-1 */
           !DER_IS_OID(type, "\x2b\x0e\x03\x02\x1d") && /* OIW's SHA-1 with RSA */
           !DER_IS_OID(type, "\x2b\x0e\x03\x02\x1b") && /* and with DSA */
           !DER_IS_OID(type, "\x2b\x0e\x03\x02\x03");   /* MD5 with RSA */
}

bool strength_of_der(const struct backend_blob *der, bool is_trusted) {
    struct certificate certificate;
    if (!certificate_parse(der, &certificate)) {
        return is_trusted;
    }
    return strength_of_key(&certificate) && (is_trusted || strength_of_signature(&certificate));
}
