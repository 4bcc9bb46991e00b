/* The strength of keys and signatures, on certificates of which only these parts are filled. */
#include "core/x509/strength.h"

#include <criterion/criterion.h>
#include <string.h>

#define BLOB(literal)                                                                              \
    (struct backend_blob) {                                                                        \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

#define RSA       "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define EC        "\x2a\x86\x48\xce\x3d"
#define DSA       "\x2a\x86\x48\xce\x38\x04"
#define P256      "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define SHA2(n)   "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n
#define PSS(hash) "\x30\x0f\xa0\x0d" hash

/* An RSAPublicKey whose modulus has a first byte and `more` others. */
static bool rsa_is_strong(const char *type, uint8_t first, size_t more) {
    uint8_t bits[600] = {0x30, 0x82, 0, 0, 0x02, 0x82, 0, 0, 0x00};
    size_t modulus = more + 2;
    bits[2] = (uint8_t)((modulus + 4) >> 8);
    bits[3] = (uint8_t)(modulus + 4);
    bits[6] = (uint8_t)(modulus >> 8);
    bits[7] = (uint8_t)modulus;
    bits[9] = first;
    struct certificate certificate = {.key_type = {(const uint8_t *)type, 9},
                                      .key_bits = {bits, modulus + 8}};
    return strength_of_key(&certificate);
}

static bool ec_is_strong(struct backend_blob parameters, uint8_t first, size_t size) {
    uint8_t point[200] = {first};
    struct certificate certificate = {
        .key_type = BLOB(EC "\x02\x01"), .key_parameters = parameters, .key_bits = {point, size}};
    return strength_of_key(&certificate);
}

static bool signature_is_strong(struct backend_blob type, struct backend_blob parameters) {
    struct certificate certificate = {.signature_type = type, .signature_parameters = parameters};
    return strength_of_signature(&certificate);
}

Test(strength, rsa_key_has_2048_bits) {
    cr_assert(rsa_is_strong(RSA "\x01", 0x80, 255));
    cr_assert(rsa_is_strong(RSA "\x01", 0x01, 256));
    cr_assert(rsa_is_strong(RSA "\x0a", 0x80, 255));
    cr_assert_not(rsa_is_strong(RSA "\x01", 0x7f, 255));
    cr_assert_not(rsa_is_strong(RSA "\x01", 0x80, 127));
    cr_assert_not(rsa_is_strong(RSA "\x01", 0x00, 255));
    cr_assert_not(rsa_is_strong(RSA "\x0a", 0x7f, 255));
    struct certificate malformed = {.key_type = BLOB(RSA "\x01")};
    cr_assert_not(strength_of_key(&malformed));
}

Test(strength, ec_key_has_224_bits_on_a_named_curve) {
    struct backend_blob named = BLOB(P256);
    cr_assert(ec_is_strong(named, 4, 65));
    cr_assert(ec_is_strong(named, 4, 57));
    cr_assert(ec_is_strong(named, 2, 29));
    cr_assert(ec_is_strong(named, 3, 33));
    cr_assert_not(ec_is_strong(named, 4, 49)); /* P-192 */
    cr_assert_not(ec_is_strong(named, 4, 55));
    cr_assert_not(ec_is_strong(named, 2, 25));
    cr_assert_not(ec_is_strong(named, 6, 29));
    cr_assert_not(ec_is_strong(named, 4, 0));
    cr_assert_not(ec_is_strong(BLOB("\x30\x00"), 4, 65)); /* explicit parameters */
    cr_assert_not(ec_is_strong(BLOB(""), 4, 65));
    cr_assert_not(ec_is_strong(BLOB(P256 "\x05\x00"), 4, 65));
}

Test(strength, dsa_key_is_weak_and_others_are_the_librarys) {
    struct certificate certificate = {.key_type = BLOB(DSA "\x01")};
    cr_assert_not(strength_of_key(&certificate));
    certificate.key_type = BLOB("\x2b\x65\x70"); /* Ed25519 */
    cr_assert(strength_of_key(&certificate));
}

Test(strength, signature_has_no_broken_hash) {
    struct backend_blob none = BLOB("\x05\x00");
    cr_assert(signature_is_strong(BLOB(RSA "\x0b"), none));
    cr_assert(signature_is_strong(BLOB(RSA "\x0e"), none));
    cr_assert(signature_is_strong(BLOB(EC "\x04\x03\x02"), none));
    cr_assert(signature_is_strong(BLOB("\x2b\x65\x70"), none));
    cr_assert_not(signature_is_strong(BLOB(RSA "\x02"), none)); /* MD2 */
    cr_assert_not(signature_is_strong(BLOB(RSA "\x04"), none)); /* MD5 */
    cr_assert_not(signature_is_strong(BLOB(RSA "\x05"), none)); /* SHA-1 */
    cr_assert_not(signature_is_strong(BLOB(EC "\x04\x01"), none));
    cr_assert_not(signature_is_strong(BLOB(DSA "\x03"), none));
    cr_assert_not(signature_is_strong(BLOB("\x2b\x0e\x03\x02\x03"), none));
    cr_assert_not(signature_is_strong(BLOB("\x2b\x0e\x03\x02\x1b"), none));
    cr_assert_not(signature_is_strong(BLOB("\x2b\x0e\x03\x02\x1d"), none));
}

Test(strength, pss_names_its_hash) {
    struct backend_blob pss = BLOB(RSA "\x0a");
    cr_assert(signature_is_strong(pss, BLOB(PSS(SHA2("\x01")))));
    cr_assert_not(signature_is_strong(pss, BLOB("")));
    cr_assert_not(signature_is_strong(pss, BLOB("\x30\x00"))); /* the default, SHA-1 */
    cr_assert_not(signature_is_strong(
        pss, BLOB("\x30\x0b\xa0\x09\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a"))); /* SHA-1 */
}

/* What OpenSSL and libtls have it told: DER, and whether it is trusted. */
Test(strength, malformed_certificate_is_weak_unless_trusted) {
    struct backend_blob malformed = BLOB("\x30\x00");
    cr_assert_not(strength_of_der(&malformed, false));
    cr_assert(strength_of_der(&malformed, true));
}
