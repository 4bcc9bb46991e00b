/*
 * Telling the DER forms of private keys apart: PKCS#1 (RFC 8017, A.1.2), SEC1 (RFC 5915), PKCS#8
 * (RFC 5958) and its encrypted form. All four are a SEQUENCE; what it begins with tells them apart:
 *
 *   PKCS#1     INTEGER 0, INTEGER…
 *   SEC1       INTEGER 1, OCTET STRING
 *   PKCS#8     INTEGER 0, SEQUENCE
 *   encrypted  SEQUENCE, OCTET STRING
 */
#include "core/x509/key_form.h"

#include <string.h>

#include "core/x509/der.h"

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

static const struct algorithm *find_algorithm(const struct backend_blob *object) {
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (object->size == algorithms[i].object_size &&
            memcmp(object->bytes, algorithms[i].object, object->size) == 0) {
            return &algorithms[i];
        }
    }
    return NULL;
}

/* The number of INTEGERs, each of one byte at least, up to the first other element. */
static size_t count_integers(struct backend_blob *reader) {
    struct backend_blob number;
    size_t count = 0;
    while (der_take(reader, DER_INTEGER, &number) && number.size > 0) {
        count++;
    }
    return count;
}

static const char not_whole_pkcs1[] = "is not a whole PKCS#1 key";
static const char not_whole_sec1[] = "is not a whole SEC1 key";
static const char not_whole_pkcs8[] = "is not a whole PKCS#8 key";

/* What begins with two INTEGERs: RSA has nine, and more primes perhaps; DSA has six. */
static const char *pkcs1_fault(struct backend_blob *key) {
    struct backend_blob part;
    uint8_t version = 0;
    bool is_small = der_take_small(key, &version);
    bool has_version = is_small && version <= 1;
    size_t count = count_integers(key) + is_small;
    if (count == 6 && key->size == 0) {
        return unfit;
    }
    bool more = version == 1 && der_take(key, DER_SEQUENCE, &part);
    bool whole = has_version && count == 9 && key->size == 0 && (version == 1) == more;
    return whole ? NULL : not_whole_pkcs1;
}

static void set_pkcs1_form(struct backend_blob *key, struct key_form *form) {
    const char *fault = pkcs1_fault(key);
    *form = fault == unfit ? (struct key_form){BACKEND_KEY_NONE, "DSA", false, false, unfit}
                           : (struct key_form){BACKEND_KEY_PKCS1, "RSA", true, false, fault};
}

/* The curve of a SEC1 key stands in it, or, inside PKCS#8, may stand outside. */
static const char *sec1_fault(struct backend_blob *key, bool needs_curve) {
    struct backend_blob parameters;
    struct backend_blob part;
    uint8_t version = 0;
    if (!der_take_small(key, &version) || version != 1 || !der_take(key, DER_OCTET_STRING, &part) ||
        part.size == 0) {
        return not_whole_sec1;
    }
    bool has_curve = der_take(key, DER_CONTEXT_0, &parameters);
    bool has_public = der_take(key, DER_CONTEXT_1, &part);
    if (key->size != 0 || (has_public && !der_take(&part, DER_BIT_STRING, &part))) {
        return not_whole_sec1;
    }
    if (!has_curve) {
        return needs_curve ? "does not say which curve it is on (its parameters are missing)"
                           : NULL;
    }
    return der_take(&parameters, DER_OBJECT, &part) ? NULL : explicit_curve;
}

/* Looks into the OCTET STRING of a PKCS#8 key whose algorithm has a name here. */
static const char *inner_fault(const struct algorithm *algorithm, struct backend_blob *parameters,
                               struct backend_blob *inner) {
    if (algorithm->unfit) {
        return unfit;
    }
    if (strncmp(algorithm->kind, "RSA", 3) == 0) {
        return der_whole(inner->bytes, inner->size, DER_SEQUENCE, inner) ? pkcs1_fault(inner)
                                                                         : "is not a whole RSA key";
    }
    if (strcmp(algorithm->kind, "EC") == 0) {
        bool has_parameters = parameters->size > 0;
        if (!der_take(parameters, DER_OBJECT, parameters)) {
            return has_parameters ? explicit_curve : "does not say which curve it is on";
        }
        return der_whole(inner->bytes, inner->size, DER_SEQUENCE, inner) ? sec1_fault(inner, false)
                                                                         : "is not a whole EC key";
    }
    return der_whole(inner->bytes, inner->size, DER_OCTET_STRING, inner) ? NULL
                                                                         : "is not a whole key";
}

/* Attributes, [0], and a public key, [1] and primitive, may stand at the end (RFC 5958). */
static bool ends_well(struct backend_blob *key) {
    enum { PUBLIC_KEY = 0x81 };
    struct backend_blob part;
    (void)der_take(key, DER_CONTEXT_0, &part);
    uint8_t tag = 0;
    return key->size == 0 || (der_next(key, &tag, &part) &&
                              (tag == PUBLIC_KEY || tag == DER_CONTEXT_1) && key->size == 0);
}

static void set_pkcs8_form(struct backend_blob *key, struct key_form *form) {
    *form = (struct key_form){BACKEND_KEY_PKCS8, NULL, false, false, not_whole_pkcs8};
    struct backend_blob parameters;
    struct backend_blob part;
    uint8_t version = 0;
    bool has_version = der_take_small(key, &version) && version <= 1;
    if (!der_take(key, DER_SEQUENCE, &parameters) || !der_take(&parameters, DER_OBJECT, &part)) {
        return;
    }
    const struct algorithm *algorithm = find_algorithm(&part);
    form->kind = algorithm != NULL ? algorithm->kind : "another kind";
    form->rsa = algorithm != NULL && strncmp(algorithm->kind, "RSA", 3) == 0;
    if (has_version && der_take(key, DER_OCTET_STRING, &part) && ends_well(key)) {
        form->fault = algorithm != NULL ? inner_fault(algorithm, &parameters, &part) : NULL;
    }
}

static const char no_form[] = "is neither PKCS#1 nor SEC1 nor PKCS#8";

/* What begins with a SEQUENCE: an encrypted key, or a certificate by mistake. */
static void set_encrypted_form(struct backend_blob *key, struct key_form *form) {
    struct backend_blob algorithm;
    struct backend_blob part;
    *form = (struct key_form){BACKEND_KEY_NONE, NULL, false, true, NULL};
    if (!der_take(key, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OBJECT, &part) ||
        !der_take(key, DER_OCTET_STRING, &part) || key->size != 0) {
        form->encrypted = false;
        form->fault = no_form;
        if (der_take(key, DER_SEQUENCE, &part) && der_take(key, DER_BIT_STRING, &part)) {
            form->fault = "is none, but a certificate";
        }
    }
}

/* The first two tags of the content; false: there are no two elements. */
static bool look_at_tags(const struct backend_blob *key, uint8_t *first, uint8_t *second) {
    struct backend_blob rest = *key;
    struct backend_blob part;
    return der_next(&rest, first, &part) &&
           (*first == DER_SEQUENCE || der_next(&rest, second, &part));
}

void key_form_of(const void *bytes, size_t size, struct key_form *form) {
    *form = (struct key_form){BACKEND_KEY_NONE, NULL, false, false, no_form};
    struct backend_blob reader = {bytes, size};
    struct backend_blob key;
    uint8_t first = 0;
    uint8_t second = 0;
    bool is_sequence = size > 0 && *(const uint8_t *)bytes == DER_SEQUENCE;
    if (!der_take(&reader, DER_SEQUENCE, &key)) {
        form->fault = size == 0     ? "is empty"
                      : is_sequence ? "breaks off: its DER is not whole"
                                    : no_form;
        return;
    }
    if (reader.size != 0) {
        form->fault = "has more bytes than its DER";
        return;
    }
    if (!look_at_tags(&key, &first, &second)) {
        return;
    }
    if (first == DER_SEQUENCE) {
        set_encrypted_form(&key, form);
    } else if (first == DER_INTEGER && second == DER_INTEGER) {
        set_pkcs1_form(&key, form);
    } else if (first == DER_INTEGER && second == DER_OCTET_STRING) {
        *form = (struct key_form){BACKEND_KEY_SEC1, "EC", false, false, sec1_fault(&key, true)};
    } else if (first == DER_INTEGER && second == DER_SEQUENCE) {
        set_pkcs8_form(&key, form);
    }
}
