/* The strength of keys and signatures, on certificates of which only these parts are filled. */
#include "core/x509/strength.h"

#include "core/x509/pss.h"
#include "der_writer.h"

#define RSA        "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define EC         "\x2a\x86\x48\xce\x3d"
#define DSA        "\x2a\x86\x48\xce\x38\x04"
#define OIW        "\x2b\x0e\x03\x02"
#define P256       "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define CERTICOM   "\x06\x05\x2b\x81\x04\x00"
#define BRAINPOOL  "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01"
#define SHA2(n)    "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n
#define SHA1       "\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a"
#define MGF1(hash) "\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" hash

static struct backend_blob rsa_key(struct backend_blob modulus, struct backend_blob exponent) {
    return SEQUENCE(der_element(DER_INTEGER, modulus), der_element(DER_INTEGER, exponent));
}

/* Returns the modulus with a first byte and `more` others, the last of which is odd. */
static struct backend_blob modulus_of(uint8_t first, size_t more) {
    uint8_t *bytes = der_room(more + 2);
    size_t zero = first >= 0x80 ? 1 : 0; /* else it were negative */
    bytes[zero] = first;
    bytes[zero + more] |= 1;
    return (struct backend_blob){bytes, zero + more + 1};
}

#define EXPONENT BLOB("\x01\x00\x01")

static bool key_is_strong(struct backend_blob type, struct backend_blob parameters,
                          struct backend_blob bits) {
    struct certificate certificate = {
        .key_type = type, .key_parameters = parameters, .key_bits = bits};
    return strength_of_key(&certificate);
}

/* Judges an RSAPublicKey, which has to be the same for both kinds of key. */
static bool rsa_is_strong(struct backend_blob key) {
    bool strong = key_is_strong(BLOB(RSA "\x01"), BLOB("\x05\x00"), key);
    cr_assert_eq(key_is_strong(BLOB(RSA "\x0a"), NOTHING, key), strong);
    return strong;
}

static bool ec_is_strong(struct backend_blob parameters, uint8_t first, size_t size) {
    uint8_t point[200] = {first};
    return key_is_strong(BLOB(EC "\x02\x01"), parameters, (struct backend_blob){point, size});
}

static bool signature_is_strong(struct backend_blob type, struct backend_blob parameters) {
    struct certificate certificate = {.signature_type = type, .signature_parameters = parameters};
    return strength_of_signature(&certificate);
}

/* ---- keys ---- */

Test(strength, rsa_key_has_2048_to_8192_bits) {
    cr_assert(rsa_is_strong(rsa_key(modulus_of(0x80, 255), EXPONENT)));
    cr_assert(rsa_is_strong(rsa_key(modulus_of(0x01, 256), EXPONENT)));
    cr_assert(rsa_is_strong(rsa_key(modulus_of(0xff, 1023), EXPONENT)));
    cr_assert_not(rsa_is_strong(rsa_key(modulus_of(0x7f, 255), EXPONENT)));
    cr_assert_not(rsa_is_strong(rsa_key(modulus_of(0x80, 127), EXPONENT)));
    cr_assert_not(rsa_is_strong(rsa_key(modulus_of(0x01, 1024), EXPONENT)));
    cr_assert_not(rsa_is_strong(rsa_key(modulus_of(0x80, 2047), EXPONENT)));
}

Test(strength, rsa_exponent_is_odd_and_has_2_to_33_bits) {
    struct backend_blob modulus = modulus_of(0x80, 255);
    cr_assert(rsa_is_strong(rsa_key(modulus, BLOB("\x03"))));
    cr_assert(rsa_is_strong(rsa_key(modulus, BLOB("\x01\xff\xff\xff\xff"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, BLOB("\x01"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, BLOB("\x00"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, BLOB("\x02"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, BLOB("\x01\x00\x00"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, BLOB("\x02\x00\x00\x00\x01"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, BLOB("\x01\x00\x00\x00\x00\x00\x00\x00\x01"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, modulus)));
}

Test(strength, malformed_rsa_key_is_weak) {
    struct backend_blob modulus = modulus_of(0x80, 255);
    struct backend_blob even = modulus_of(0x80, 255);
    ((uint8_t *)(uintptr_t)even.bytes)[even.size - 1] = 0;
    struct backend_blob negative = {modulus.bytes + 1, modulus.size - 1};
    struct backend_blob good = rsa_key(modulus, EXPONENT);
    cr_assert_not(rsa_is_strong(NOTHING));
    cr_assert_not(rsa_is_strong(BLOB("\x30\x00")));
    cr_assert_not(rsa_is_strong(JOIN(good, BLOB("\x00"))));
    cr_assert_not(rsa_is_strong(rsa_key(even, EXPONENT)));
    cr_assert_not(rsa_is_strong(rsa_key(negative, EXPONENT)));
    cr_assert_not(rsa_is_strong(rsa_key(JOIN(BLOB("\x00"), modulus), EXPONENT)));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, BLOB("\xfd"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, BLOB("\x00\x03"))));
    cr_assert_not(rsa_is_strong(rsa_key(modulus, NOTHING)));
    cr_assert_not(rsa_is_strong(SEQUENCE(der_element(DER_INTEGER, modulus))));
    cr_assert_not(rsa_is_strong(
        SEQUENCE(der_element(DER_INTEGER, modulus), BLOB("\x02\x03\x01\x00\x01\x02\x01\x01"))));
    cr_assert_not(rsa_is_strong(
        SEQUENCE(der_element(DER_OCTET_STRING, modulus), BLOB("\x02\x03\x01\x00\x01"))));
}

/* The parameters of a key for RSASSA-PSS restrict its signatures: strongly, or not at all. */
Test(strength, rsa_pss_key_is_not_for_sha_1) {
    struct backend_blob type = BLOB(RSA "\x0a");
    struct backend_blob key = rsa_key(modulus_of(0x80, 255), EXPONENT);
    cr_assert(key_is_strong(
        type, SEQUENCE(BLOB("\xa0\x0d" SHA2("\x01") "\xa1\x1a" MGF1(SHA2("\x01")))), key));
    cr_assert_not(key_is_strong(type, BLOB("\x30\x00"), key));
    cr_assert_not(key_is_strong(type, BLOB("\x05\x00"), key));
}

Test(strength, ec_key_has_224_bits_on_a_named_curve) {
    static const struct {
        struct backend_blob curve;
        size_t size; /* of a coordinate; 0: weak or unknown */
    } rows[] = {
#define CURVE(oid, size) {{(const uint8_t *)(oid), sizeof(oid) - 1}, size}
        CURVE(P256, 32),
        CURVE("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01", 0), /* P-192 */
        CURVE("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x04", 0), /* prime239v1 */
        CURVE("\x06\x08\x2a\x86\x48\xce\x3d\x03\x00\x07", 0),
        CURVE(CERTICOM "\x0a", 32), /* secp256k1 */
        CURVE(CERTICOM "\x20", 28), /* secp224k1 */
        CURVE(CERTICOM "\x21", 28), /* secp224r1 */
        CURVE(CERTICOM "\x22", 48), /* secp384r1 */
        CURVE(CERTICOM "\x23", 66), /* secp521r1 */
        CURVE(CERTICOM "\x1f", 0),  /* secp192k1 */
        CURVE(CERTICOM "\x01", 0),  /* sect163k1 */
        CURVE(CERTICOM "\x0f", 0),  /* sect163r2 */
        CURVE(CERTICOM "\x08", 0),  /* secp160r1 */
        CURVE(CERTICOM "\x03", 30), /* sect239k1 */
        CURVE(CERTICOM "\x1a", 30), /* sect233k1 */
        CURVE(CERTICOM "\x1b", 30), /* sect233r1 */
        CURVE(CERTICOM "\x10", 36), /* sect283k1 */
        CURVE(CERTICOM "\x11", 36), /* sect283r1 */
        CURVE(CERTICOM "\x24", 52), /* sect409k1 */
        CURVE(CERTICOM "\x25", 52), /* sect409r1 */
        CURVE(CERTICOM "\x26", 72), /* sect571k1 */
        CURVE(CERTICOM "\x27", 72), /* sect571r1 */
        CURVE(CERTICOM "\x28", 0),
        CURVE(BRAINPOOL "\x01", 0),  /* brainpoolP160r1 */
        CURVE(BRAINPOOL "\x04", 0),  /* brainpoolP192t1 */
        CURVE(BRAINPOOL "\x05", 28), /* brainpoolP224r1 */
        CURVE(BRAINPOOL "\x06", 28),
        CURVE(BRAINPOOL "\x07", 32),
        CURVE(BRAINPOOL "\x08", 32),
        CURVE(BRAINPOOL "\x09", 40),
        CURVE(BRAINPOOL "\x0a", 40),
        CURVE(BRAINPOOL "\x0b", 48),
        CURVE(BRAINPOOL "\x0c", 48),
        CURVE(BRAINPOOL "\x0d", 64),
        CURVE(BRAINPOOL "\x0e", 64),
        CURVE(BRAINPOOL "\x0f", 0),
        CURVE(BRAINPOOL "\x00", 0),
        CURVE("\x06\x05\x2b\x81\x05\x00\x0a", 0),
        CURVE("\x06\x00", 0),
        CURVE("\x06\x01\x0a", 0),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t size = 0; size < 150; size++) {
            size_t right = rows[i].size;
            bool whole = right > 0 && size == 2 * right + 1;
            bool compressed = right > 0 && size == right + 1;
            cr_assert_eq(ec_is_strong(rows[i].curve, 4, size), whole, "%zu: %zu", i, size);
            cr_assert_eq(ec_is_strong(rows[i].curve, 2, size), compressed, "%zu: %zu", i, size);
            cr_assert_eq(ec_is_strong(rows[i].curve, 3, size), compressed, "%zu: %zu", i, size);
            cr_assert_not(ec_is_strong(rows[i].curve, 6, size));
            cr_assert_not(ec_is_strong(rows[i].curve, 0, size));
        }
    }
    cr_assert_not(ec_is_strong(BLOB("\x30\x00"), 4, 65)); /* explicit parameters */
    cr_assert_not(ec_is_strong(NOTHING, 4, 65));
    cr_assert_not(ec_is_strong(BLOB(P256 "\x05\x00"), 4, 65));
}

Test(strength, dsa_key_is_weak_and_others_are_the_librarys) {
    cr_assert_not(key_is_strong(BLOB(DSA "\x01"), NOTHING, NOTHING));
    cr_assert(key_is_strong(BLOB("\x2b\x65\x70"), NOTHING, NOTHING)); /* Ed25519 */
    cr_assert(key_is_strong(BLOB("\x2b\x65\x71"), NOTHING, NOTHING)); /* Ed448 */
}

/* ---- signatures ---- */

Test(strength, signature_has_no_broken_hash) {
    struct backend_blob none = BLOB("\x05\x00");
    cr_assert(signature_is_strong(BLOB(RSA "\x0b"), none));
    cr_assert(signature_is_strong(BLOB(RSA "\x0e"), none));
    cr_assert(signature_is_strong(BLOB(EC "\x04\x03\x02"), none));
    cr_assert(signature_is_strong(BLOB("\x2b\x65\x70"), none));
    cr_assert_not(signature_is_strong(BLOB(RSA "\x02"), none)); /* MD2 */
    cr_assert_not(signature_is_strong(BLOB(RSA "\x03"), none)); /* MD4 */
    cr_assert_not(signature_is_strong(BLOB(RSA "\x04"), none)); /* MD5 */
    cr_assert_not(signature_is_strong(BLOB(RSA "\x05"), none)); /* SHA-1 */
    cr_assert_not(signature_is_strong(BLOB(EC "\x04\x01"), none));
    cr_assert_not(signature_is_strong(BLOB(EC "\x04\x02"), none));
    cr_assert_not(signature_is_strong(BLOB(DSA "\x03"), none));
    cr_assert_not(signature_is_strong(BLOB(OIW "\x03"), none));
    cr_assert_not(signature_is_strong(BLOB(OIW "\x1b"), none));
    cr_assert_not(signature_is_strong(BLOB(OIW "\x1d"), none));
    cr_assert(signature_is_strong(BLOB(OIW), none));
    cr_assert(signature_is_strong(BLOB("\x2b\x0e\x03\x03\x1d"), none));
}

static bool pss_is_strong(struct backend_blob parameters) {
    return signature_is_strong(BLOB(RSA "\x0a"), parameters);
}

#define HASH(hash) BLOB("\xa0\x0d" hash)
#define MASK(hash) BLOB("\xa1\x1a" MGF1(hash))

Test(strength, pss_names_both_its_hashes) {
    cr_assert(pss_is_strong(SEQUENCE(HASH(SHA2("\x01")), MASK(SHA2("\x01")))));
    cr_assert(pss_is_strong(SEQUENCE(HASH(SHA2("\x03")), MASK(SHA2("\x02")))));
    cr_assert_not(pss_is_strong(NOTHING));
    cr_assert_not(pss_is_strong(BLOB("\x30\x00"))); /* the defaults, SHA-1 */
    cr_assert_not(pss_is_strong(SEQUENCE(HASH(SHA2("\x01")))));
    cr_assert_not(pss_is_strong(SEQUENCE(MASK(SHA2("\x01")))));
    cr_assert_not(pss_is_strong(SEQUENCE(BLOB("\xa0\x09" SHA1), MASK(SHA2("\x01")))));
    cr_assert_not(pss_is_strong(
        SEQUENCE(HASH(SHA2("\x01")), BLOB("\xa1\x16\x30\x14\x06\x09" RSA "\x08" SHA1))));
}

Test(strength, pss_is_well_formed) {
    struct backend_blob hashes = JOIN(HASH(SHA2("\x01")), MASK(SHA2("\x01")));
    struct backend_blob wrong_mask = BLOB("\xa1\x1a\x30\x18\x06\x09" RSA "\x09" SHA2("\x01"));
    cr_assert(pss_is_strong(SEQUENCE(hashes, BLOB("\xa2\x03\x02\x01\x20"))));
    cr_assert(pss_is_strong(SEQUENCE(hashes, BLOB("\xa2\x04\x02\x02\x04\x00"))));
    cr_assert(pss_is_strong(SEQUENCE(hashes, BLOB("\xa3\x03\x02\x01\x01"))));
    cr_assert_not(pss_is_strong(SEQUENCE(hashes, BLOB("\xa2\x04\x02\x02\x04\x01"))));
    cr_assert_not(pss_is_strong(SEQUENCE(hashes, BLOB("\xa2\x03\x02\x01\xff"))));
    cr_assert_not(pss_is_strong(SEQUENCE(hashes, BLOB("\xa2\x05\x02\x01\x20\x05\x00"))));
    cr_assert_not(pss_is_strong(SEQUENCE(hashes, BLOB("\xa2\x03\x04\x01\x20"))));
    cr_assert_not(pss_is_strong(SEQUENCE(hashes, BLOB("\xa2\x7f\x02\x01\x20"))));
    cr_assert_not(pss_is_strong(SEQUENCE(hashes, BLOB("\xa3\x03\x02\x01\x02"))));
    cr_assert_not(pss_is_strong(SEQUENCE(hashes, BLOB("\xa3\x03\x02\x01\x00"))));
    cr_assert_not(pss_is_strong(SEQUENCE(hashes, BLOB("\xa4\x00"))));
    cr_assert_not(pss_is_strong(JOIN(SEQUENCE(hashes), BLOB("\x05\x00"))));
    cr_assert_not(pss_is_strong(ELEMENT(DER_SET, hashes)));
    cr_assert_not(pss_is_strong(SEQUENCE(HASH(SHA2("\x01")), wrong_mask)));
    cr_assert_not(pss_is_strong(SEQUENCE(HASH(SHA2("\x01")), BLOB("\xa1\x00"))));
    cr_assert_not(pss_is_strong(SEQUENCE(HASH(SHA2("\x01")), BLOB("\xa1\x02\x30\x00"))));
    cr_assert_not(pss_is_strong(SEQUENCE(BLOB("\xa0\x00"), MASK(SHA2("\x01")))));
    cr_assert_not(pss_is_strong(SEQUENCE(BLOB("\xa0\x02\x30\x00"), MASK(SHA2("\x01")))));
    cr_assert_not(pss_is_strong(SEQUENCE(
        BLOB("\xa0\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x01"), MASK(SHA2("\x01")))));
    cr_assert_not(pss_is_strong(SEQUENCE(
        BLOB("\xa0\x0c\x30\x0a\x06\x08\x60\x86\x48\x01\x65\x03\x04\x02"), MASK(SHA2("\x01")))));
}

/* A key for RSASSA-PSS may demand hashes and the least salt; a plain RSA key demands nothing. */
Test(strength, pss_key_restricts_its_signatures) {
    struct backend_blob one = JOIN(HASH(SHA2("\x01")), MASK(SHA2("\x02")));
    struct backend_blob salted = SEQUENCE(one, BLOB("\xa2\x03\x02\x01\x20"));
    struct certificate certificate = {.signature_parameters = salted};
    const struct {
        struct backend_blob type, parameters;
        bool fits;
    } rows[] = {
        {BLOB(RSA "\x01"), BLOB("\x05\x00"), true},
        {BLOB(RSA "\x0a"), NOTHING, true},
        {BLOB(RSA "\x0a"), salted, true},
        {BLOB(RSA "\x0a"), SEQUENCE(one), true},
        {BLOB(RSA "\x0a"), SEQUENCE(one, BLOB("\xa2\x03\x02\x01\x1f")), true},
        {BLOB(RSA "\x0a"), SEQUENCE(one, BLOB("\xa2\x03\x02\x01\x21")), false},
        {BLOB(RSA "\x0a"), SEQUENCE(HASH(SHA2("\x02")), MASK(SHA2("\x02"))), false},
        {BLOB(RSA "\x0a"), SEQUENCE(HASH(SHA2("\x01")), MASK(SHA2("\x01"))), false},
        {BLOB(RSA "\x0a"), BLOB("\x30\x00"), false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct certificate issuer = {.key_type = rows[i].type,
                                     .key_parameters = rows[i].parameters};
        struct pss pss;
        cr_assert_eq(pss_signature(&certificate, &issuer, &pss), rows[i].fits, "row %zu", i);
        cr_assert(pss.hash == PSS_SHA256 && pss.mask_hash == PSS_SHA384 && pss.salt_size == 32);
        struct certificate malformed = {.signature_parameters = BLOB("\x30\x00")};
        cr_assert_not(pss_signature(&malformed, &issuer, &pss));
    }
    struct certificate plain = {.signature_parameters = SEQUENCE(one)};
    struct certificate issuer = {.key_type = BLOB(RSA "\x01")};
    struct pss pss;
    cr_assert(pss_signature(&plain, &issuer, &pss) && pss.salt_size == 20);
}

/* What OpenSSL and libtls have it told: DER, and whether it is trusted. */
Test(strength, malformed_certificate_is_weak_unless_trusted) {
    struct backend_blob malformed = BLOB("\x30\x00");
    cr_assert_not(strength_of_der(&malformed, false));
    cr_assert(strength_of_der(&malformed, true));
}

Test(strength, signature_of_a_trusted_certificate_does_not_count) {
    struct der_certificate parts = der_certificate();
    struct backend_blob der = der_write(&parts);
    cr_assert(strength_of_der(&der, false));
    cr_assert(strength_of_der(&der, true));
    parts.inner_algorithm = parts.outer_algorithm =
        BLOB("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00"); /* SHA-1 */
    der = der_write(&parts);
    cr_assert_not(strength_of_der(&der, false));
    cr_assert(strength_of_der(&der, true));
    parts = der_certificate();
    parts.key = SEQUENCE(BLOB("\x30\x0b\x06\x07\x2a\x86\x48\xce\x38\x04\x01\x05\x00"),
                         BLOB("\x03\x02\x00\x01")); /* DSA */
    der = der_write(&parts);
    cr_assert_not(strength_of_der(&der, false));
    cr_assert_not(strength_of_der(&der, true));
}
