/* Finding the private key: forms, kinds, encrypted ones, and what mistakes are called. */
#include "tests/unit/pki.h"

#include "core/base/error.h"
#include "core/x509/credentials.h"

static portls_error error;

/* Looks for a key in bytes of their exact size, so that a checker sees each byte too far. */
static portls_status find(struct bytes from, portls_key_kind kind, portls_encoding encoding,
                          struct private_key *key) {
    uint8_t *exact = malloc(from.size > 0 ? from.size : 1);
    cr_assert_not_null(exact);
    memcpy(exact, from.at, from.size);
    error_begin(&error);
    portls_status status = pem_private_key(exact, from.size, "x.key", kind, encoding, key, &error);
    free(exact);
    cr_assert_eq(error.status, status);
    if (status != PORTLS_OK) {
        cr_assert_null(key->bytes);
        cr_assert_eq(key->size, 0);
        cr_assert_eq(key->format, BACKEND_KEY_NONE);
        cr_assert_neq(error.message[0], '\0');
        cr_assert_null(strchr(error.message, '\n'));
    }
    return status;
}

/* The key that is found is the DER that openssl wrote into a file; or only its format is looked
   at. */
static void expect_key(struct bytes from, portls_key_kind kind, portls_encoding encoding,
                       enum backend_key_format format, const char *der_file) {
    struct private_key key;
    cr_assert_eq(find(from, kind, encoding, &key), PORTLS_OK, "%s", error.message);
    cr_expect_eq(key.format, format);
    if (der_file != NULL) {
        struct bytes der = pki_read(der_file);
        cr_assert_eq(key.size, der.size);
        cr_expect_arr_eq(key.bytes, der.at, der.size);
        free(der.at);
    }
    private_key_clear(&key);
    cr_expect_null(key.bytes);
    free(from.at);
}

static void expect_failure(struct bytes from, portls_key_kind kind, portls_encoding encoding,
                           portls_status status, const char *message) {
    struct private_key key;
    cr_expect_eq(find(from, kind, encoding, &key), status);
    cr_expect_str_eq(error.message, message);
    free(from.at);
}

static const portls_key_kind RSA = PORTLS_KEY_RSA;
static const portls_key_kind ANY = PORTLS_KEY_ANY;
static const portls_encoding PEM = PORTLS_PEM;
static const portls_encoding DER = PORTLS_ASN1;

Test(private_key, reads_every_form_of_pem) {
    expect_key(pki_read("server-rsa2048.key"), RSA, PEM, BACKEND_KEY_PKCS8, "rsa.pkcs8.der");
    expect_key(pki_read("rsa.pkcs1.key"), RSA, PEM, BACKEND_KEY_PKCS1, "rsa.pkcs1.der");
    expect_key(pki_read("server-p256.key"), ANY, PEM, BACKEND_KEY_PKCS8, "ec.pkcs8.der");
    expect_key(pki_read("ec.sec1.key"), ANY, PEM, BACKEND_KEY_SEC1, "ec.sec1.der");
    expect_key(pki_read("server-ed25519.key"), ANY, PEM, BACKEND_KEY_PKCS8, "ed25519.pkcs8.der");
    expect_key(pki_read("server-p384.key"), ANY, PEM, BACKEND_KEY_PKCS8, NULL);
    expect_key(pki_read("test.pem"), RSA, PEM, BACKEND_KEY_PKCS8, NULL);
}

Test(private_key, reads_every_form_of_der) {
    expect_key(pki_read("rsa.pkcs8.der"), RSA, DER, BACKEND_KEY_PKCS8, "rsa.pkcs8.der");
    expect_key(pki_read("rsa.pkcs1.der"), RSA, DER, BACKEND_KEY_PKCS1, "rsa.pkcs1.der");
    expect_key(pki_read("ec.pkcs8.der"), ANY, DER, BACKEND_KEY_PKCS8, "ec.pkcs8.der");
    expect_key(pki_read("ec.sec1.der"), ANY, DER, BACKEND_KEY_SEC1, "ec.sec1.der");
    expect_key(pki_read("ed25519.pkcs8.der"), ANY, DER, BACKEND_KEY_PKCS8, "ed25519.pkcs8.der");
}

Test(private_key, takes_the_first_rsa_key_and_skips_others) {
    expect_key(pki_read("ec-then-rsa.key"), RSA, PEM, BACKEND_KEY_PKCS8, "rsa.pkcs8.der");
    expect_key(pki_read("ec-then-rsa.traditional.key"), RSA, PEM, BACKEND_KEY_PKCS1,
               "rsa.pkcs1.der");
    expect_key(pki_read("parameters-ec-then-rsa.key"), RSA, PEM, BACKEND_KEY_PKCS8,
               "rsa.pkcs8.der");
    expect_key(bytes_join(pki_read("server-rsa2048.key"), pki_read("rsa.pkcs1.key")), RSA, PEM,
               BACKEND_KEY_PKCS8, "rsa.pkcs8.der");
}

Test(private_key, takes_the_first_key_of_any_kind) {
    expect_key(pki_read("ec-then-rsa.key"), ANY, PEM, BACKEND_KEY_PKCS8, "ec.pkcs8.der");
    expect_key(pki_read("ec-then-rsa.traditional.key"), ANY, PEM, BACKEND_KEY_SEC1, "ec.sec1.der");
    expect_key(pki_read("parameters-ec-then-rsa.key"), ANY, PEM, BACKEND_KEY_SEC1, "ec.sec1.der");
}

Test(private_key, counts_rsassa_pss_as_rsa) {
    expect_key(pki_read("rsa-pss.key"), RSA, PEM, BACKEND_KEY_PKCS8, NULL);
}

static const char only_ec[] =
    "x.key: no RSA key in it, only EC (PORTLS_KEY_ANY takes the first key of any kind)";

Test(private_key, names_the_kinds_it_found_instead) {
    expect_failure(pki_read("server-p256.key"), RSA, PEM, PORTLS_BAD_KEY, only_ec);
    expect_failure(pki_read("ec.sec1.key"), RSA, PEM, PORTLS_BAD_KEY, only_ec);
    expect_failure(pki_read("ec.sec1.der"), RSA, DER, PORTLS_BAD_KEY, only_ec);
    expect_failure(pki_read("ec.pkcs8.der"), RSA, DER, PORTLS_BAD_KEY, only_ec);
    struct bytes many = bytes_join(pki_read("server-ed25519.key"), pki_read("ec.sec1.key"));
    many = bytes_join(many, pki_read("server-p384.key"));
    many = bytes_join(many, bytes_of("-----BEGIN DSA PRIVATE KEY-----\nMAA=\n"
                                     "-----END DSA PRIVATE KEY-----\n"
                                     "-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n"
                                     "-----END OPENSSH PRIVATE KEY-----\n"
                                     "-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n"
                                     "-----END TSS2 PRIVATE KEY-----\n"));
    expect_failure(many, RSA, PEM, PORTLS_BAD_KEY,
                   "x.key: no RSA key in it, only Ed25519, EC, DSA, OpenSSH and another kind "
                   "(PORTLS_KEY_ANY takes the first key of any kind)");
}

Test(private_key, skips_an_encrypted_key_only_when_its_kind_shows) {
    expect_key(pki_read("encrypted-ec-then-rsa.key"), RSA, PEM, BACKEND_KEY_PKCS8, "rsa.pkcs8.der");
    expect_failure(pki_read("encrypted-pkcs8-then-rsa.key"), RSA, PEM, PORTLS_KEY_ENCRYPTED,
                   "x.key: the private key in line 1 is encrypted, so that its kind cannot be "
                   "told, and nothing asks for a password (decrypt it with: openssl pkey -in FILE "
                   "-out NEWFILE)");
    expect_failure(pki_read("ec.encrypted-traditional.key"), RSA, PEM, PORTLS_BAD_KEY, only_ec);
}

Test(private_key, refuses_an_encrypted_key) {
    const char *message = "x.key: the private key in line 1 is encrypted, and nothing asks for a "
                          "password (decrypt it with: openssl pkey -in FILE -out NEWFILE)";
    expect_failure(pki_read("rsa.encrypted-traditional.key"), RSA, PEM, PORTLS_KEY_ENCRYPTED,
                   message);
    expect_failure(pki_read("rsa.encrypted-traditional.key"), ANY, PEM, PORTLS_KEY_ENCRYPTED,
                   message);
    expect_failure(pki_read("ec.encrypted-traditional.key"), ANY, PEM, PORTLS_KEY_ENCRYPTED,
                   message);
    expect_failure(pki_read("rsa.encrypted-pkcs8.key"), ANY, PEM, PORTLS_KEY_ENCRYPTED, message);
    expect_failure(pki_read("encrypted-ec-then-rsa.key"), ANY, PEM, PORTLS_KEY_ENCRYPTED, message);
    expect_failure(pki_read("ec.encrypted-pkcs8.der"), ANY, DER, PORTLS_KEY_ENCRYPTED,
                   "x.key: the private key is encrypted, and nothing asks for a password (decrypt "
                   "it with: openssl pkey -inform DER -outform DER -in FILE -out NEWFILE)");
    struct private_key key;
    struct bytes rsa = pki_read("rsa.encrypted-pkcs8.der");
    cr_expect_eq(find(rsa, RSA, DER, &key), PORTLS_KEY_ENCRYPTED);
    free(rsa.at);
}

Test(private_key, tells_pem_from_der) {
    expect_failure(pki_read("rsa.pkcs8.der"), RSA, PEM, PORTLS_BAD_KEY,
                   "x.key: it is DER (ASN.1), and PEM was asked for (PORTLS_ASN1 loads a key in "
                   "DER)");
    expect_failure(pki_read("server-rsa2048.key"), RSA, DER, PORTLS_BAD_KEY,
                   "x.key: it is PEM, and DER (ASN.1) was asked for (PORTLS_PEM loads a key in "
                   "PEM)");
}

Test(private_key, says_that_there_is_none) {
    expect_failure(bytes_of(""), RSA, PEM, PORTLS_BAD_KEY,
                   "x.key: it is empty (a PEM block that begins with -----BEGIN PRIVATE KEY-----, "
                   "or with RSA or EC before PRIVATE, was expected)");
    expect_failure(pki_read("server-p256.pem"), ANY, PEM, PORTLS_BAD_KEY,
                   "x.key: no private key in it (a PEM block that begins with -----BEGIN PRIVATE "
                   "KEY-----, or with RSA or EC before PRIVATE, was expected)");
    expect_failure(bytes_of(""), RSA, DER, PORTLS_BAD_KEY, "x.key: the private key is empty");
    expect_failure(bytes_of("hello"), RSA, DER, PORTLS_BAD_KEY,
                   "x.key: the private key is neither PKCS#1 nor SEC1 nor PKCS#8");
}

/* A SEC1 key is {1, octets, [0] curve, [1] public key}. */
static const uint8_t sec1_bare[] = {0x30, 0x07, 0x02, 0x01, 0x01, 0x04, 0x02, 0x12, 0x34};
static const uint8_t sec1_explicit[] = {0x30, 0x0b, 0x02, 0x01, 0x01, 0x04, 0x02,
                                        0x12, 0x34, 0xa0, 0x02, 0x30, 0x00};

Test(private_key, wants_a_named_curve) {
    const char *bare = "x.key: the private key in line 1 does not say which curve it is on (its "
                       "parameters are missing)";
    expect_failure(pem_of("EC PRIVATE KEY", sec1_bare, sizeof sec1_bare), ANY, PEM, PORTLS_BAD_KEY,
                   bare);
    struct bytes parameters = bytes_of("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                                       "-----END EC PARAMETERS-----\n");
    struct private_key key;
    parameters = bytes_join(parameters, pem_of("EC PRIVATE KEY", sec1_bare, sizeof sec1_bare));
    cr_expect_eq(find(parameters, ANY, PEM, &key), PORTLS_BAD_KEY);
    free(parameters.at);
    expect_failure(pem_of("EC PRIVATE KEY", sec1_explicit, sizeof sec1_explicit), ANY, PEM,
                   PORTLS_BAD_KEY,
                   "x.key: the private key in line 1 has its curve written out in numbers, and "
                   "TLS takes named curves only (P-256, for one)");
}

/* Of DSA: the traditional form has six numbers; X25519 keys agree, they do not sign. */
static const uint8_t dsa[] = {0x30, 18,   0x02, 1, 0,    0x02, 1, 7,    0x02, 1,
                              3,    0x02, 1,    2, 0x02, 1,    5, 0x02, 1,    4};
static const uint8_t x25519[] = {0x30, 16,   0x02, 1,    0, 0x30, 5, 0x06, 3,
                                 0x2b, 0x65, 0x6e, 0x04, 4, 0x04, 2, 1,    2};
/* An algorithm that has no name here: its key is left to the backend. */
static const uint8_t unknown[] = {0x30, 16,   0x02, 1,    0, 0x30, 5, 0x06, 3,
                                  0x2b, 0x65, 0x01, 0x04, 4, 0x04, 2, 1,    2};

Test(private_key, knows_kinds_that_tls_does_not_use) {
    const char *unfit = "x.key: the private key in line 1 is of a kind that TLS does not use";
    const char *unfit_der = "x.key: the private key is of a kind that TLS does not use";
    expect_failure(pem_of("DSA PRIVATE KEY", dsa, sizeof dsa), ANY, PEM, PORTLS_BAD_KEY, unfit);
    expect_failure(pem_of("PRIVATE KEY", x25519, sizeof x25519), ANY, PEM, PORTLS_BAD_KEY, unfit);
    struct bytes der = {malloc(sizeof dsa), sizeof dsa};
    memcpy(der.at, dsa, sizeof dsa);
    expect_failure(der, ANY, DER, PORTLS_BAD_KEY, unfit_der);
    expect_key(pem_of("PRIVATE KEY", unknown, sizeof unknown), ANY, PEM, BACKEND_KEY_PKCS8, NULL);
    expect_failure(pem_of("PRIVATE KEY", unknown, sizeof unknown), RSA, PEM, PORTLS_BAD_KEY,
                   "x.key: no RSA key in it, only another kind (PORTLS_KEY_ANY takes the first key "
                   "of any kind)");
}

Test(private_key, wants_what_the_label_says) {
    struct bytes der = pki_read("rsa.pkcs8.der");
    expect_failure(pem_of("RSA PRIVATE KEY", der.at, der.size), RSA, PEM, PORTLS_BAD_KEY,
                   "x.key: the private key in line 1 is labelled RSA PRIVATE KEY, but is not "
                   "PKCS#1 inside");
    expect_failure(pem_of("EC PRIVATE KEY", der.at, der.size), ANY, PEM, PORTLS_BAD_KEY,
                   "x.key: the private key in line 1 is labelled EC PRIVATE KEY, but is not SEC1 "
                   "inside");
    free(der.at);
    der = pki_read("rsa.pkcs1.der");
    expect_failure(pem_of("PRIVATE KEY", der.at, der.size), RSA, PEM, PORTLS_BAD_KEY,
                   "x.key: the private key in line 1 is labelled PRIVATE KEY, but is not PKCS#8 "
                   "inside");
    free(der.at);
    der = pki_read("ec.encrypted-pkcs8.der");
    expect_failure(pem_of("PRIVATE KEY", der.at, der.size), ANY, PEM, PORTLS_BAD_KEY,
                   "x.key: the private key in line 1 is encrypted, though its label does not say "
                   "so");
    free(der.at);
}

/* A block that cannot be understood might have been the RSA key: it is not skipped. */
Test(private_key, does_not_skip_what_it_cannot_understand) {
    struct bytes broken = bytes_join(bytes_of("-----BEGIN PRIVATE KEY-----\nMAA=\n"
                                              "-----END PRIVATE KEY-----\n"),
                                     pki_read("server-rsa2048.key"));
    expect_failure(broken, RSA, PEM, PORTLS_BAD_KEY,
                   "x.key: the private key in line 1 is neither PKCS#1 nor SEC1 nor PKCS#8");
}

Test(private_key, says_what_is_wrong_with_der) {
    struct bytes der = pki_read("rsa.pkcs1.der");
    der.size--;
    expect_failure(der, RSA, DER, PORTLS_BAD_KEY,
                   "x.key: the private key breaks off: its DER is not whole");
    expect_failure(bytes_join(pki_read("rsa.pkcs1.der"), bytes_of("\n")), RSA, DER, PORTLS_BAD_KEY,
                   "x.key: the private key has more bytes than its DER");
    static const uint8_t certificate[] = {0x30, 0x06, 0x30, 0x00, 0x30, 0x00, 0x03, 0x00};
    struct bytes wrong = {malloc(sizeof certificate), sizeof certificate};
    memcpy(wrong.at, certificate, sizeof certificate);
    expect_failure(wrong, RSA, DER, PORTLS_BAD_KEY,
                   "x.key: the private key is none, but a certificate");
    struct bytes large = {calloc(70000, 1), 70000};
    expect_failure(large, RSA, DER, PORTLS_BAD_KEY,
                   "x.key: too long for a private key (65536 bytes at most)");
}

static void survive_truncations(const char *file, portls_encoding encoding, size_t tail) {
    struct bytes whole = pki_read(file);
    for (size_t size = 0; size < whole.size - tail; size++) {
        struct bytes part = {whole.at, size};
        struct private_key key;
        cr_assert_eq(find(part, ANY, encoding, &key), PORTLS_BAD_KEY, "%s, %zu bytes", file, size);
        cr_assert_eq(find(part, RSA, encoding, &key), PORTLS_BAD_KEY, "%s, %zu bytes", file, size);
    }
    free(whole.at);
}

/* Only the last line's end may be missing. */
Test(private_key, survives_every_truncation) {
    survive_truncations("rsa.pkcs1.key", PEM, 1);
    survive_truncations("server-p256.key", PEM, 1);
    survive_truncations("ec.sec1.key", PEM, 1);
    survive_truncations("rsa.pkcs1.der", DER, 0);
    survive_truncations("rsa.pkcs8.der", DER, 0);
    survive_truncations("ec.sec1.der", DER, 0);
    survive_truncations("ec.pkcs8.der", DER, 0);
    survive_truncations("ed25519.pkcs8.der", DER, 0);
    survive_truncations("rsa.encrypted-pkcs8.der", DER, 0);
}

static void survive_changes(const char *file, portls_encoding encoding) {
    static const uint8_t changes[] = {0x00, 0x01, 0x02, 0x04, 0x06, 0x0a, 0x0d, 0x1f, 0x20, 0x2d,
                                      0x30, 0x3a, 0x3d, 0x41, 0x7f, 0x80, 0x82, 0x84, 0xa0, 0xff};
    struct bytes whole = pki_read(file);
    for (size_t i = 0; i < whole.size; i++) {
        uint8_t before = whole.at[i];
        for (size_t change = 0; change < sizeof changes; change++) {
            whole.at[i] = changes[change];
            struct private_key key;
            portls_status status = find(whole, change % 2 == 0 ? ANY : RSA, encoding, &key);
            cr_assert(status == PORTLS_OK || status == PORTLS_BAD_KEY ||
                      status == PORTLS_KEY_ENCRYPTED);
            private_key_clear(&key);
        }
        whole.at[i] = before;
    }
    free(whole.at);
}

Test(private_key, survives_every_changed_byte) {
    survive_changes("server-p256.key", PEM);
    survive_changes("rsa.encrypted-traditional.key", PEM);
    survive_changes("rsa.pkcs1.der", DER);
    survive_changes("rsa.pkcs8.der", DER);
    survive_changes("ec.sec1.der", DER);
    survive_changes("ec.pkcs8.der", DER);
    survive_changes("ed25519.pkcs8.der", DER);
    survive_changes("ec.encrypted-pkcs8.der", DER);
}
