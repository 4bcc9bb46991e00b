/*
 * Telling the DER forms of private keys apart: PKCS#1 (RFC 8017, A.1.2), SEC1 (RFC 5915), PKCS#8
 * (RFC 5958) and its encrypted form. All four are a SEQUENCE; what it begins with tells them apart:
 *
 *   PKCS#1     INTEGER 0, INTEGER…
 *   SEC1       INTEGER 1, OCTET STRING
 *   PKCS#8     INTEGER 0, SEQUENCE
 *   encrypted  SEQUENCE, OCTET STRING
 */
#include "core/key_form.h"

#include <string.h>

#include "core/der.h"
#include "core/frame.h"

/* The algorithms of PKCS#8 keys that have a name here; others are left to the backend. */
static const struct algorithm {
    const char *kind;
    const char *object; /* the content of its object identifier */
    size_t object_size;
    bool unfit; /* it cannot sign a TLS handshake */
} algorithms[] = {
    {"RSA", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9, false},
    {"RSA-PSS", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9, false},
    {"EC", "\x2a\x86\x48\xce\x3d\x02\x01", 7, false},
    {"Ed25519", "\x2b\x65\x70", 3, false},
    {"Ed448", "\x2b\x65\x71", 3, false},
    {"X25519", "\x2b\x65\x6e", 3, true},
    {"X448", "\x2b\x65\x6f", 3, true},
    {"DSA", "\x2a\x86\x48\xce\x38\x04\x01", 7, true},
    {"DH", "\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01", 9, true},
};

static const char unfit[] = "is of a kind that TLS does not use";
static const char explicit_curve[] =
    "has its curve written out in numbers, and TLS takes named curves only (P-256, for one)";

static const struct algorithm *find_algorithm(struct der_reader object) {
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (object.left == algorithms[i].object_size &&
            memcmp(object.at, algorithms[i].object, object.left) == 0) {
            return &algorithms[i];
        }
    }
    return NULL;
}

/* The number of INTEGERs, each of one byte at least, up to the first other element. */
static size_t count_integers(struct der_reader *reader) {
    struct der_reader number;
    size_t count = 0;
    while (der_take(reader, DER_INTEGER, &number) && number.left > 0) {
        count++;
    }
    return count;
}

/* What begins with two INTEGERs: RSA has nine, and more primes perhaps; DSA has six. */
static OWN_FRAME struct key_form pkcs1_form(struct der_reader key) {
    struct key_form form = {BACKEND_KEY_PKCS1, "RSA", true, false, NULL};
    struct der_reader primes;
    uint8_t version = 0;
    struct der_reader rest = key;
    bool has_version = der_take_small(&rest, &version) && version <= 1;
    size_t count = count_integers(&key);
    if (count == 6 && key.left == 0) {
        return (struct key_form){BACKEND_KEY_NONE, "DSA", false, false, unfit};
    }
    bool more = version == 1 && der_take(&key, DER_SEQUENCE, &primes);
    if (!has_version || count != 9 || key.left != 0 || (version == 1) != more) {
        form.fault = "is not a whole PKCS#1 key";
    }
    return form;
}

/* The curve of a SEC1 key stands in it, or, inside PKCS#8, may stand outside. */
static OWN_FRAME struct key_form sec1_form(struct der_reader key, bool needs_curve) {
    struct key_form form = {BACKEND_KEY_SEC1, "EC", false, false, NULL};
    struct der_reader number;
    struct der_reader parameters;
    struct der_reader part;
    uint8_t version = 0;
    if (!der_take_small(&key, &version) || version != 1 ||
        !der_take(&key, DER_OCTET_STRING, &number) || number.left == 0) {
        form.fault = "is not a whole SEC1 key";
        return form;
    }
    bool has_curve = der_take(&key, DER_CONTEXT_0, &parameters);
    bool has_public = der_take(&key, DER_CONTEXT_1, &part);
    if (key.left != 0 || (has_public && !der_take(&part, DER_BIT_STRING, &number))) {
        form.fault = "is not a whole SEC1 key";
    } else if (!has_curve && needs_curve) {
        form.fault = "does not say which curve it is on (its parameters are missing)";
    } else if (has_curve && !der_take(&parameters, DER_OBJECT, &part)) {
        form.fault = explicit_curve;
    }
    return form;
}

/* Looks into the OCTET STRING of a PKCS#8 key whose algorithm has a name here. */
static const char *inner_fault(const struct algorithm *algorithm, struct der_reader parameters,
                               struct der_reader inner) {
    struct der_reader content;
    if (algorithm->unfit) {
        return unfit;
    }
    if (strncmp(algorithm->kind, "RSA", 3) == 0) {
        return der_whole(inner.at, inner.left, DER_SEQUENCE, &content) ? pkcs1_form(content).fault
                                                                       : "is not a whole RSA key";
    }
    if (strcmp(algorithm->kind, "EC") == 0) {
        struct der_reader curve;
        if (!der_take(&parameters, DER_OBJECT, &curve)) {
            return parameters.left > 0 ? explicit_curve : "does not say which curve it is on";
        }
        return der_whole(inner.at, inner.left, DER_SEQUENCE, &content)
                   ? sec1_form(content, false).fault
                   : "is not a whole EC key";
    }
    return der_whole(inner.at, inner.left, DER_OCTET_STRING, &content) ? NULL
                                                                       : "is not a whole key";
}

/* Attributes, [0], and a public key, [1] and primitive, may stand at the end (RFC 5958). */
static bool ends_well(struct der_reader key) {
    enum { PUBLIC_KEY = 0x81 };
    struct der_reader part;
    (void)der_take(&key, DER_CONTEXT_0, &part);
    uint8_t tag = 0;
    return key.left == 0 || (der_next(&key, &tag, &part) &&
                             (tag == PUBLIC_KEY || tag == DER_CONTEXT_1) && key.left == 0);
}

static OWN_FRAME struct key_form pkcs8_form(struct der_reader key) {
    struct key_form form = {BACKEND_KEY_PKCS8, NULL, false, false, NULL};
    struct der_reader parameters;
    struct der_reader object;
    struct der_reader inner;
    uint8_t version = 0;
    bool has_version = der_take_small(&key, &version) && version <= 1;
    if (!der_take(&key, DER_SEQUENCE, &parameters) || !der_take(&parameters, DER_OBJECT, &object)) {
        form.fault = "is not a whole PKCS#8 key";
        return form;
    }
    const struct algorithm *algorithm = find_algorithm(object);
    form.kind = algorithm != NULL ? algorithm->kind : "another kind";
    form.rsa = algorithm != NULL && strncmp(algorithm->kind, "RSA", 3) == 0;
    if (!has_version || !der_take(&key, DER_OCTET_STRING, &inner) || !ends_well(key)) {
        form.fault = "is not a whole PKCS#8 key";
    } else if (algorithm != NULL) {
        form.fault = inner_fault(algorithm, parameters, inner);
    }
    return form;
}

/* What begins with a SEQUENCE: an encrypted key, or a certificate by mistake. */
static OWN_FRAME struct key_form encrypted_form(struct der_reader key) {
    struct key_form form = {BACKEND_KEY_NONE, NULL, false, true, NULL};
    struct der_reader algorithm;
    struct der_reader part;
    if (!der_take(&key, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OBJECT, &part) ||
        !der_take(&key, DER_OCTET_STRING, &part) || key.left != 0) {
        form.encrypted = false;
        form.fault = "is neither PKCS#1 nor SEC1 nor PKCS#8";
        if (der_take(&key, DER_SEQUENCE, &part) && der_take(&key, DER_BIT_STRING, &part)) {
            form.fault = "is none, but a certificate";
        }
    }
    return form;
}

struct key_form key_form_of(const void *bytes, size_t size) {
    struct key_form none = {BACKEND_KEY_NONE, NULL, false, false,
                            "is neither PKCS#1 nor SEC1 nor PKCS#8"};
    struct der_reader reader = {bytes, size};
    struct der_reader key;
    struct der_reader part;
    uint8_t first = 0;
    uint8_t second = 0;
    if (!der_take(&reader, DER_SEQUENCE, &key)) {
        none.fault = size == 0                                 ? "is empty"
                     : *(const uint8_t *)bytes == DER_SEQUENCE ? "breaks off: its DER is not whole"
                                                               : none.fault;
        return none;
    }
    if (reader.left != 0) {
        none.fault = "has more bytes than its DER";
        return none;
    }
    struct der_reader rest = key;
    if (!der_next(&rest, &first, &part)) {
        return none;
    }
    if (first == DER_SEQUENCE) {
        return encrypted_form(key);
    }
    if (first != DER_INTEGER || !der_next(&rest, &second, &part)) {
        return none;
    }
    switch (second) {
    case DER_INTEGER:
        return pkcs1_form(key);
    case DER_OCTET_STRING:
        return sec1_form(key, true);
    case DER_SEQUENCE:
        return pkcs8_form(key);
    default:
        return none;
    }
}
