/* The strength of keys and signatures of certificates. */
#include "core/x509/strength.h"

#include "core/x509/pss.h"

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, EXPONENT_BITS_MAX = 33 };

/* The beginnings of object identifiers. */
#define OID_PKCS1     "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define OID_X957      "\x2a\x86\x48\xce\x38\x04" /* DSA */
#define OID_X962      "\x2a\x86\x48\xce\x3d"     /* EC */
#define OID_CERTICOM  "\x2b\x81\x04\x00"
#define OID_BRAINPOOL "\x2b\x24\x03\x03\x02\x08\x01\x01"
#define OID_OIW       "\x2b\x0e\x03\x02" /* MD2 to SHA-1 with RSA and DSA */

/* Returns whether the OID begins with a string literal, and has one number more, of one byte. */
#define IS_UNDER(oid, literal)                                                                     \
    ((oid)->size == sizeof(literal) && memcmp((oid)->bytes, (literal), sizeof(literal) - 1) == 0)

/* ---- keys ---- */

/* Takes a positive, odd INTEGER. Returns the number of its bits, or 0 if it is none. */
static size_t take_odd(struct backend_blob *cursor) {
    struct backend_blob number;
    if (!der_take(cursor, DER_INTEGER, &number) || !der_is_integer(&number) ||
        (number.bytes[0] & 0x80) != 0 || (number.bytes[number.size - 1] & 1) == 0) {
        return 0;
    }
    size_t first = number.bytes[0] == 0 ? 1 : 0; /* the byte of the highest bit */
    size_t bits = (number.size - first) * 8;
    for (unsigned mask = 0x80; (number.bytes[first] & mask) == 0; mask >>= 1) {
        bits--;
    }
    return bits;
}

/* Checks an RSAPublicKey. The exponent 1 has one bit. */
static bool rsa_is_strong(struct backend_blob key) {
    struct backend_blob inside;
    if (!der_take_last(&key, DER_SEQUENCE, &inside)) {
        return false;
    }
    size_t modulus = take_odd(&inside);
    size_t exponent = take_odd(&inside);
    return inside.size == 0 && modulus >= RSA_BITS_MIN && modulus <= RSA_BITS_MAX && exponent > 1 &&
           exponent <= EXPONENT_BITS_MAX;
}

/* Returns the bytes of a coordinate on a named curve with 224 bits or more, or 0. */
static size_t coordinate_size(const struct backend_blob *curve) {
    static const struct {
        uint8_t number, size;
    } certicom[] = {{0x0a, 32}, {0x20, 28}, {0x21, 28}, {0x22, 48}, {0x23, 66}, /* secp */
                    {0x03, 30}, {0x1a, 30}, {0x1b, 30}, {0x10, 36}, {0x11, 36}, /* sect */
                    {0x24, 52}, {0x25, 52}, {0x26, 72}, {0x27, 72}};
    static const uint8_t brainpool[] = {28, 32, 40, 48, 64}; /* from 5 on, each r1 and t1 */
    uint8_t number = curve->size > 0 ? curve->bytes[curve->size - 1] : 0;
    if (DER_IS_OID(curve, OID_X962 "\x03\x01\x07")) {
        return 32; /* P-256 */
    }
    if (IS_UNDER(curve, OID_BRAINPOOL) && number >= 5 && number <= 14) {
        return brainpool[(number - 5) / 2];
    }
    for (size_t i = 0; i < sizeof certicom / sizeof *certicom; i++) {
        if (IS_UNDER(curve, OID_CERTICOM) && certicom[i].number == number) {
            return certicom[i].size;
        }
    }
    return 0;
}

/* Returns whether the curve has a name and is large enough, and the point is one of this curve,
   compressed (2, 3) or with two coordinates (4). */
static bool ec_is_strong(const struct certificate *certificate) {
    struct backend_blob parameters = certificate->key_parameters;
    struct backend_blob curve;
    const struct backend_blob *point = &certificate->key_bits;
    if (!der_take_last(&parameters, DER_OID, &curve) || point->size == 0) {
        return false;
    }
    size_t size = coordinate_size(&curve);
    bool compressed = point->bytes[0] == 2 || point->bytes[0] == 3;
    return size > 0 && (compressed ? point->size == size + 1
                                   : point->bytes[0] == 4 && point->size == size * 2 + 1);
}

bool strength_of_key(const struct certificate *certificate) {
    const struct backend_blob *type = &certificate->key_type;
    struct pss restricted;
    if (DER_IS_OID(type, OID_PKCS1 "\x0a")) {
        return rsa_is_strong(certificate->key_bits) &&
               (certificate->key_parameters.size == 0 ||
                pss_parse(certificate->key_parameters, &restricted));
    }
    if (DER_IS_OID(type, OID_PKCS1 "\x01")) {
        return rsa_is_strong(certificate->key_bits);
    }
    if (DER_IS_OID(type, OID_X962 "\x02\x01")) {
        return ec_is_strong(certificate);
    }
    return !DER_IS_OID(type, OID_X957 "\x01");
}

/* ---- signatures ---- */

bool strength_of_signature(const struct certificate *certificate) {
    const struct backend_blob *type = &certificate->signature_type;
    struct pss pss;
    if (DER_IS_OID(type, OID_PKCS1 "\x0a")) {
        return pss_parse(certificate->signature_parameters, &pss);
    }
    if (IS_UNDER(type, OID_PKCS1)) {
        return type->bytes[8] > 5; /* 2, 3, 4, 5: MD2, MD4, MD5, SHA-1 with RSA */
    }
    return !DER_IS_OID(type, OID_X962 "\x04\x01") && /* ECDSA with SHA-1 */
           !DER_IS_OID(type, OID_X962 "\x04\x02") && /* with the hash that fits the key */
           !DER_IS_OID(type, OID_X957 "\x03") &&     /* DSA with SHA-1 */
           !IS_UNDER(type, OID_OIW);
}

bool strength_of_der(const struct backend_blob *der, bool is_trusted) {
    struct certificate certificate;
    if (!certificate_parse(der, &certificate)) {
        return is_trusted;
    }
    return strength_of_key(&certificate) && (is_trusted || strength_of_signature(&certificate));
}
