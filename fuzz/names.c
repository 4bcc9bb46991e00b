/*
 * Fuzzes the matching of hosts and the name constraints. The input is a sequence of DER elements: a
 * UTF8String with the host, then the subject (a Name), the alternative names (GeneralNames) and the
 * constraints (NameConstraints), each absent if its place is taken by a NULL. They become two
 * certificates. What is accepted, OpenSSL accepts too.
 */
#include "core/x509/distinguished_name.h"
#include "core/x509/host_match.h"
#include "core/x509/hostname.h"
#include "core/x509/name_constraints.h"
#include "fuzz/fuzz.h"
#include "fuzz/openssl_verdict.h"

enum { CERTIFICATE_MAX = 16384 };

/* A certificate that is being written, from its end to its beginning. */
struct writer {
    uint8_t bytes[CERTIFICATE_MAX];
    size_t at; /* of the first byte written */
};

static void put(struct writer *writer, const void *bytes, size_t size) {
    FUZZ_CHECK(size <= writer->at);
    writer->at -= size;
    if (size > 0) {
        memcpy(writer->bytes + writer->at, bytes, size);
    }
}

/* Puts a header in front of what was written since the position was `end`. */
static void put_header(struct writer *writer, uint8_t tag, size_t end) {
    size_t size = end - writer->at;
    uint8_t header[4] = {tag, 0x82, (uint8_t)(size >> 8), (uint8_t)size};
    if (size < 0x80) {
        put(writer, &(uint8_t){(uint8_t)size}, 1);
        put(writer, &tag, 1);
    } else if (size < 0x100) {
        put(writer, &(uint8_t){(uint8_t)size}, 1);
        put(writer, &(uint8_t){0x81}, 1);
        put(writer, &tag, 1);
    } else {
        put(writer, header, sizeof header);
    }
}

/* Puts the extension 2.5.29.`number` with a value of one element, unless that is absent. */
static void put_extension(struct writer *writer, uint8_t number, const struct backend_blob *value) {
    if (value->size == 0) {
        return;
    }
    const uint8_t type[] = {DER_OID, 3, 0x55, 0x1d, number};
    size_t end = writer->at;
    put(writer, value->bytes, value->size);
    put_header(writer, DER_OCTET_STRING, end);
    put(writer, type, sizeof type);
    put_header(writer, DER_SEQUENCE, end);
}

/* Everything but the subject and the extensions: a P-256 key and an ECDSA signature, which no one
   checks. */
static const uint8_t algorithm[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
static const uint8_t key[] =
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00\x04"
    "\x6b\x17\xd1\xf2\xe1\x2c\x42\x47\xf8\xbc\xe6\xe5\x63\xa4\x40\xf2"
    "\x77\x03\x7d\x81\x2d\xeb\x33\xa0\xf4\xa1\x39\x45\xd8\x98\xc2\x96"
    "\x4f\xe3\x42\xe2\xfe\x1a\x7f\x9b\x8e\xe7\xeb\x4a\x7c\x0f\x9e\x16"
    "\x2b\xce\x33\x57\x6b\x31\x5e\xce\xcb\xb6\x40\x68\x37\xbf\x51\xf5";
static const uint8_t validity[] = "\x30\x1e\x17\x0d"
                                  "200101000000Z"
                                  "\x17\x0d"
                                  "491231235959Z";
static const uint8_t empty_name[] = "\x30\x00";
static const uint8_t version_and_serial[] = "\xa0\x03\x02\x01\x02\x02\x01\x01";

/* Writes a certificate with this subject and these extensions, of which each may be absent. */
static struct backend_blob write_certificate(struct writer *writer,
                                             const struct backend_blob *subject,
                                             const struct backend_blob *alternative_names,
                                             const struct backend_blob *constraints) {
    writer->at = sizeof writer->bytes;
    put(writer, "\x03\x02\x00\x00", 4); /* the signature */
    put(writer, algorithm, sizeof algorithm - 1);
    size_t end = writer->at;
    put_extension(writer, 0x1e, constraints);
    put_extension(writer, 0x11, alternative_names);
    if (writer->at != end) {
        put_header(writer, DER_SEQUENCE, end);
        put_header(writer, DER_CONTEXT_CONSTRUCTED(3), end);
    }
    put(writer, key, sizeof key - 1);
    put(writer, subject->size > 0 ? subject->bytes : empty_name,
        subject->size > 0 ? subject->size : sizeof empty_name - 1);
    put(writer, validity, sizeof validity - 1);
    put(writer, empty_name, sizeof empty_name - 1);
    put(writer, algorithm, sizeof algorithm - 1);
    put(writer, version_and_serial, sizeof version_and_serial - 1);
    put_header(writer, DER_SEQUENCE, end);
    put_header(writer, DER_SEQUENCE, sizeof writer->bytes);
    return (struct backend_blob){writer->bytes + writer->at, sizeof writer->bytes - writer->at};
}

/* Takes one whole element; empty for a NULL and at the end. */
static struct backend_blob take_element(struct backend_blob *input) {
    struct backend_blob content;
    struct backend_blob whole;
    uint8_t tag = 0;
    bool present = der_next(input, &tag, &content, &whole) && tag != DER_NULL;
    return present ? whole : (struct backend_blob){NULL, 0};
}

static void check_host(const struct certificate *certificate, const char *host) {
    uint8_t address[16];
    bool is_address = hostname_address(host, strlen(host), address) > 0;
    char normal[HOSTNAME_MAX + 1];
    if (!is_address && hostname_normalise(host, normal, NULL) != PORTLS_OK) {
        return; /* which a connection refuses */
    }
    const char *asked = is_address ? host : normal;
    bool matches = host_matches(certificate, asked, is_address);
    FUZZ_CHECK(!matches || !openssl_is_asked() ||
               openssl_matches_host(&certificate->der, asked, is_address));
}

static void check_constraints(const struct certificate *authority,
                              const struct certificate *certificate) {
    const char *reason = "";
    struct name_check check = {.left = NAME_COMPARISONS_MAX};
    if (!name_constraints_hold(authority, certificate, true, &check) || !openssl_is_asked()) {
        return;
    }
    bool openssl_accepts = openssl_constraints_hold(&authority->der, &certificate->der, &reason);
    if (!openssl_accepts) {
        fprintf(stderr, "OpenSSL refuses: %s\n", reason);
    }
    FUZZ_CHECK(openssl_accepts);
}

/* Compares the subject with the alternative names, which may be a Name too. */
static void check_subjects(const struct certificate *one, const struct backend_blob *element) {
    struct backend_blob other;
    if (der_whole(element->bytes, element->size, DER_SEQUENCE, &other) && name_is_valid(&other)) {
        bool equal = name_equal(&one->subject, &other);
        FUZZ_CHECK(equal == name_equal(&other, &one->subject));
        FUZZ_CHECK(!equal || (name_has_prefix(&one->subject, &other) &&
                              name_has_prefix(&other, &one->subject)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static struct writer writers[2];
    struct backend_blob input = {bytes, size};
    struct backend_blob content;
    char host[HOSTNAME_MAX + 1];
    if (size > CERTIFICATE_MAX / 2 || !der_take(&input, DER_UTF8_STRING, &content) ||
        !fuzz_text(&content, host, sizeof host)) {
        return 0;
    }
    const struct backend_blob absent = {NULL, 0};
    struct backend_blob subject = take_element(&input);
    struct backend_blob alternative_names = take_element(&input);
    struct backend_blob constraints = take_element(&input);
    struct backend_blob leaf =
        write_certificate(&writers[0], &subject, &alternative_names, &absent);
    struct backend_blob ca = write_certificate(&writers[1], &absent, &absent, &constraints);
    struct certificate certificate;
    struct certificate authority;
    if (!certificate_parse(&leaf, &certificate)) {
        return 0;
    }
    check_host(&certificate, host);
    check_subjects(&certificate, &alternative_names);
    if (certificate_parse(&ca, &authority)) {
        check_constraints(&authority, &certificate);
    }
    return 0;
}
