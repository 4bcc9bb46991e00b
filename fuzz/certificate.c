/*
 * Fuzzes the certificate reader, with a certificate in DER as the input. A certificate that is
 * accepted has its parts inside its DER, is one that OpenSSL reads with the same dates, and is
 * refused with a byte less or more.
 */
#include <time.h>

#include "core/x509/distinguished_name.h"
#include "core/x509/host_match.h"
#include "core/x509/name_constraints.h"
#include "core/x509/strength.h"
#include "fuzz/fuzz.h"
#include "fuzz/openssl_verdict.h"

static void check_parts(const struct certificate *certificate) {
    const struct backend_blob *parts[] = {
        &certificate->signed_part,
        &certificate->signature_type,
        &certificate->signature,
        &certificate->signature_parameters,
        &certificate->issuer,
        &certificate->subject,
        &certificate->key,
        &certificate->key_type,
        &certificate->key_parameters,
        &certificate->key_bits,
        &certificate->alternative_names,
        &certificate->name_constraints,
        &certificate->subject_key_id,
        &certificate->issuer_key_id,
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        FUZZ_CHECK(fuzz_is_inside(parts[i], &certificate->der));
    }
    FUZZ_CHECK(fuzz_is_inside(&certificate->key, &certificate->signed_part));
    FUZZ_CHECK(!certificate->has_path_length || certificate->has_basic_constraints);
}

/* Refused with its last byte missing, and with one byte more. */
static void check_length(const struct backend_blob *der) {
    struct certificate other;
    uint8_t *copy = malloc(der->size + 1);
    FUZZ_CHECK(copy != NULL);
    memcpy(copy, der->bytes, der->size);
    copy[der->size] = 0;
    for (size_t size = der->size - 1; size <= der->size + 1; size += 2) {
        FUZZ_CHECK(!certificate_parse(&(struct backend_blob){copy, size}, &other));
    }
    free(copy);
}

static void check_names(const struct certificate *certificate) {
    const struct backend_blob *issuer = &certificate->issuer;
    const struct backend_blob *subject = &certificate->subject;
    FUZZ_CHECK(name_is_valid(issuer) && name_is_valid(subject));
    FUZZ_CHECK(name_equal(issuer, issuer) && name_equal(subject, subject));
    FUZZ_CHECK(name_equal(issuer, subject) == name_equal(subject, issuer));
    FUZZ_CHECK(name_has_prefix(issuer, issuer));
    FUZZ_CHECK(!name_equal(issuer, subject) || name_has_prefix(issuer, subject));
    char text[64];
    for (size_t size = 1; size <= sizeof text; size += 21) {
        memset(text, 1, sizeof text);
        name_format(subject, text, size);
        FUZZ_CHECK(memchr(text, 0, size) != NULL);
    }
}

static void check_hosts(const struct certificate *certificate) {
    char names[64];
    for (size_t size = 8; size <= sizeof names; size += 28) {
        memset(names, 1, sizeof names);
        host_list(certificate, names, size);
        FUZZ_CHECK(memchr(names, 0, size) != NULL);
        for (const char *at = names; *at != '\0'; at++) {
            FUZZ_CHECK(*at >= ' ' && *at <= '~');
        }
    }
    char listed[64];
    bool matches =
        host_matches_der(&certificate->der, "host.example.com", false, listed, sizeof listed);
    FUZZ_CHECK(matches == host_matches(certificate, "host.example.com", false));
    FUZZ_CHECK(!matches || certificate->has_alternative_names);
}

/* Compares with OpenSSL, which reads no less than what is accepted here. */
static void check_by_openssl(const struct certificate *certificate) {
    X509 *x509 = openssl_read(&certificate->der);
    struct tm broken_down;
    FUZZ_CHECK(ASN1_TIME_to_tm(X509_get0_notBefore(x509), &broken_down) == 1);
    FUZZ_CHECK(timegm(&broken_down) == certificate->not_before);
    FUZZ_CHECK(ASN1_TIME_to_tm(X509_get0_notAfter(x509), &broken_down) == 1);
    FUZZ_CHECK(timegm(&broken_down) == certificate->not_after);
    X509_free(x509);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct backend_blob der = {bytes, size};
    struct certificate certificate;
    if (!certificate_parse(&der, &certificate)) {
        FUZZ_CHECK(!strength_of_der(&der, false));
        return 0;
    }
    check_parts(&certificate);
    check_length(&der);
    check_names(&certificate);
    check_hosts(&certificate);
    if (openssl_is_asked()) {
        check_by_openssl(&certificate);
    }
    FUZZ_CHECK(strength_of_der(&der, false) ==
               (strength_of_key(&certificate) && strength_of_signature(&certificate)));
    struct name_check check = {.left = NAME_COMPARISONS_MAX};
    (void)name_constraints_hold(&certificate, &certificate, true, &check);
    (void)certificate_may_issue(&certificate, &certificate);
    return 0;
}
