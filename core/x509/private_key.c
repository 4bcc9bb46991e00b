/*
 * Finding the private key in what a program loads (manual: ssl-load-private-key!).
 *
 * The DER forms of private keys are PKCS#1 (RFC 8017, A.1.2), SEC1 (RFC 5915), PKCS#8 (RFC 5958)
 * and its encrypted form. Each is a SEQUENCE, and its first elements tell them apart:
 *
 *   PKCS#1     INTEGER 0, INTEGER…
 *   SEC1       INTEGER 1, OCTET STRING
 *   PKCS#8     INTEGER 0, SEQUENCE
 *   encrypted  SEQUENCE, OCTET STRING
 */
#include <string.h>

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/memory.h"
#include "core/os/os.h"
#include "core/x509/credentials.h"
#include "core/x509/der.h"
#include "core/x509/foreign_format.h"
#include "core/x509/pem.h"

/* ---- the form of a key in DER ---- */

/* The form of a key in DER. */
struct key_form {
    enum backend_key_format format; /* BACKEND_KEY_NONE: not one that backends take */
    const char *kind;               /* "RSA", "EC", "Ed25519", …; NULL when it is unknown */
    bool rsa;                       /* also RSASSA-PSS */
    bool encrypted;                 /* an EncryptedPrivateKeyInfo */
    const char *fault; /* what makes it unusable, as the rest of a sentence after "the private key
                          "; or NULL */
};

/* The algorithms of PKCS#8 keys that messages name; others are left to the backend. */
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

/* Counts the INTEGERs of at least one byte up to the first other element. */
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

/* Checks a key that begins with two INTEGERs: RSA has nine, or more with multiple primes; DSA has
   six. */
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

/* Checks a SEC1 key. Its curve may be missing only inside PKCS#8, which names the curve itself. */
static const char *sec1_fault(struct backend_blob *key, bool needs_curve) {
    struct backend_blob parameters;
    struct backend_blob part;
    uint8_t version = 0;
    if (!der_take_small(key, &version) || version != 1 || !der_take(key, DER_OCTET_STRING, &part) ||
        part.size == 0) {
        return not_whole_sec1;
    }
    bool has_curve = der_take(key, DER_CONTEXT_CONSTRUCTED(0), &parameters);
    bool has_public = der_take(key, DER_CONTEXT_CONSTRUCTED(1), &part);
    if (key->size != 0 || (has_public && !der_take(&part, DER_BIT_STRING, &part))) {
        return not_whole_sec1;
    }
    if (!has_curve) {
        return needs_curve ? "does not say which curve it is on (its parameters are missing)"
                           : NULL;
    }
    return der_take(&parameters, DER_OID, &part) ? NULL : explicit_curve;
}

/* Checks the OCTET STRING of a PKCS#8 key of a known algorithm. */
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
        if (!der_take(parameters, DER_OID, parameters)) {
            return has_parameters ? explicit_curve : "does not say which curve it is on";
        }
        return der_whole(inner->bytes, inner->size, DER_SEQUENCE, inner) ? sec1_fault(inner, false)
                                                                         : "is not a whole EC key";
    }
    return der_whole(inner->bytes, inner->size, DER_OCTET_STRING, inner) ? NULL
                                                                         : "is not a whole key";
}

/* Whether only attributes ([0]) and a public key ([1], primitive) follow (RFC 5958). */
static bool ends_well(struct backend_blob *key) {
    enum { PUBLIC_KEY = 0x81 };
    struct backend_blob part;
    (void)der_take(key, DER_CONTEXT_CONSTRUCTED(0), &part);
    uint8_t tag = 0;
    return key->size == 0 ||
           (der_next(key, &tag, &part, NULL) &&
            (tag == PUBLIC_KEY || tag == DER_CONTEXT_CONSTRUCTED(1)) && key->size == 0);
}

static void set_pkcs8_form(struct backend_blob *key, struct key_form *form) {
    *form = (struct key_form){BACKEND_KEY_PKCS8, NULL, false, false, not_whole_pkcs8};
    struct backend_blob parameters;
    struct backend_blob part;
    uint8_t version = 0;
    bool has_version = der_take_small(key, &version) && version <= 1;
    if (!der_take(key, DER_SEQUENCE, &parameters) || !der_take(&parameters, DER_OID, &part)) {
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

/* Checks what begins with a SEQUENCE: an encrypted key, or by mistake a certificate. */
static void set_encrypted_form(struct backend_blob *key, struct key_form *form) {
    struct backend_blob algorithm;
    struct backend_blob part;
    *form = (struct key_form){BACKEND_KEY_NONE, NULL, false, true, NULL};
    if (!der_take(key, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &part) ||
        !der_take(key, DER_OCTET_STRING, &part) || key->size != 0) {
        form->encrypted = false;
        form->fault = no_form;
        if (der_take(key, DER_SEQUENCE, &part) && der_take(key, DER_BIT_STRING, &part)) {
            form->fault = "is none, but a certificate";
        }
    }
}

/* Reads the first two tags of the content. Returns false with fewer than two elements. */
static bool look_at_tags(const struct backend_blob *key, uint8_t *first, uint8_t *second) {
    struct backend_blob rest = *key;
    struct backend_blob part;
    return der_next(&rest, first, &part, NULL) &&
           (*first == DER_SEQUENCE || der_next(&rest, second, &part, NULL));
}

/* Finds out the form from the structure of all the bytes. Copies nothing. */
static void key_form_of(const void *bytes, size_t size, struct key_form *form) {
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

/* ---- finding it ---- */

/* Far above any key: RSA with 16384 bits has 9 KB, the largest post-quantum ones less. */
enum { KEY_SIZE_MAX = 64 * 1024 };

/* The names of the kinds of keys, as labels and key_form_of give them. */
static const char *const kind_names[] = {"RSA",   "RSA-PSS", "EC",          "Ed25519",
                                         "Ed448", "X25519",  "X448",        "DSA",
                                         "DH",    "OpenSSH", "another kind"};
enum { KIND_COUNT = sizeof kind_names / sizeof kind_names[0] };

/* The kinds that were skipped, each once, in order. */
struct kinds {
    uint8_t order[KIND_COUNT];
    uint8_t count;
};

static void kinds_add(struct kinds *kinds, const char *name) {
    uint8_t kind = 0;
    while (kind + 1 < KIND_COUNT && strcmp(kind_names[kind], name) != 0) {
        kind++;
    }
    if (memchr(kinds->order, kind, kinds->count) == NULL) {
        kinds->order[kinds->count++] = kind;
    }
}

static portls_status fail_other_kinds(const struct kinds *kinds, const char *name,
                                      portls_error *error) {
    (void)error_fail(error, PORTLS_BAD_KEY, "%s: no RSA key in it, only ", name);
    for (size_t i = 0; i < kinds->count; i++) { /* "EC, DSA and Ed25519" */
        const char *between = i == 0 ? "" : i + 1 == kinds->count ? " and " : ", ";
        error_append(error, between);
        error_append(error, kind_names[kinds->order[i]]);
    }
    error_append(error, " (PORTLS_KEY_ANY takes the first key of any kind)");
    return PORTLS_BAD_KEY;
}

static portls_status fail_foreign(const struct foreign_format *format, const char *name,
                                  const char *wanted, portls_error *error) {
    if (format->key == NULL) {
        return error_fail(error, PORTLS_BAD_KEY, "%s: it is %s, which holds no private key", name,
                          format->name);
    }
    return error_fail(error, PORTLS_BAD_KEY,
                      "%s: it is %s, and %s was expected (%s converts its private key to PEM)",
                      name, format->name, wanted, format->key);
}

static portls_status fail_none(const void *bytes, size_t size, const char *name,
                               portls_error *error) {
    const struct foreign_format *format = foreign_format_of(bytes, size);
    if (format != NULL) {
        return fail_foreign(format, name, "PEM", error);
    }
    if (pem_is_der(bytes, size)) {
        return error_fail(error, PORTLS_BAD_KEY,
                          "%s: it is DER (ASN.1), and PEM was asked for (PORTLS_ASN1 loads a key "
                          "in DER)",
                          name);
    }
    return error_fail(error, PORTLS_BAD_KEY,
                      "%s: %s (a PEM block that begins with -----BEGIN PRIVATE KEY-----, or with "
                      "RSA or EC before PRIVATE, was expected)",
                      name, size == 0 ? "it is empty" : "no private key in it");
}

/* `place` is empty or names the line of the key. `kind_counts`: the key may be one that would be
   skipped if it were not encrypted. */
static portls_status fail_encrypted(const char *name, const char *place, bool kind_counts,
                                    portls_encoding encoding, portls_error *error) {
    return error_fail(error, PORTLS_KEY_ENCRYPTED,
                      "%s: the private key%s is encrypted%s, and nothing asks for a password "
                      "(decrypt it with: openssl pkey %s-in FILE -out NEWFILE)",
                      name, place, kind_counts ? ", so that its kind cannot be told" : "",
                      encoding == PORTLS_ASN1 ? "-inform DER -outform DER " : "");
}

static portls_status fail_encrypted_block(const char *name, size_t line, bool kind_counts,
                                          portls_error *error) {
    char place[40];
    (void)format_text(place, sizeof place, " in line %zu", line);
    return fail_encrypted(name, place, kind_counts, PORTLS_PEM, error);
}

/* What the label of a block says about its content. */
static const struct label {
    const char *text;
    const char *kind;               /* NULL: the content decides */
    enum backend_key_format format; /* of the content; NONE when no backend takes it */
    bool encrypted;
    const char *fault;
} labels[] = {
    {"PRIVATE KEY", NULL, BACKEND_KEY_PKCS8, false, NULL},
    {"RSA PRIVATE KEY", "RSA", BACKEND_KEY_PKCS1, false, NULL},
    {"EC PRIVATE KEY", "EC", BACKEND_KEY_SEC1, false, NULL},
    {"ENCRYPTED PRIVATE KEY", NULL, BACKEND_KEY_NONE, true, NULL},
    {"DSA PRIVATE KEY", "DSA", BACKEND_KEY_NONE, false, "is of a kind that TLS does not use"},
    {"OPENSSH PRIVATE KEY", "OpenSSH", BACKEND_KEY_NONE, false,
     "is in OpenSSH's own form (ssh-keygen -p -m PKCS8 -f FILE converts it)"},
};

static const struct label other_label = {"", "another kind", BACKEND_KEY_NONE, false,
                                         "is in a form that is not known"};

/* Returns the meaning of a label; NULL when the block is not a private key. */
static const struct label *find_label(const struct pem_block *block) {
    static const char ending[] = "PRIVATE KEY";
    size_t size = sizeof ending - 1;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (pem_block_is(block, labels[i].text)) {
            return &labels[i];
        }
    }
    bool is_key = block->label_size > size &&
                  memcmp(block->label + block->label_size - size, ending, size) == 0;
    return is_key ? &other_label : NULL;
}

/* Returns what is wrong with the content of a block, or NULL. */
static const char *content_fault(const struct key_form *form, enum backend_key_format promised) {
    if (form->format == promised || form->format == BACKEND_KEY_NONE) {
        return form->encrypted ? "is encrypted, though its label does not say so" : form->fault;
    }
    switch (promised) {
    case BACKEND_KEY_PKCS1:
        return "is labelled RSA PRIVATE KEY, but is not PKCS#1 inside";
    case BACKEND_KEY_SEC1:
        return "is labelled EC PRIVATE KEY, but is not SEC1 inside";
    default:
        return "is labelled PRIVATE KEY, but is not PKCS#8 inside";
    }
}

/* One search through a PEM text. */
struct search {
    struct pem_reader reader;
    portls_key_kind kind;
    struct kinds passed;
};

/* Decodes a block with an unencrypted key and takes the key, or skips it: `key` then stays empty.
 */
static portls_status take_key(struct search *search, const struct pem_block *block,
                              const struct label *label, struct private_key *key,
                              portls_error *error) {
    portls_status status =
        pem_block_decode(&search->reader, block, KEY_SIZE_MAX, &key->bytes, &key->size, error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct key_form form;
    key_form_of(key->bytes, key->size, &form);
    if (search->kind == PORTLS_KEY_RSA && form.kind != NULL && !form.rsa &&
        form.format == label->format) {
        private_key_clear(key);
        kinds_add(&search->passed, form.kind);
        return PORTLS_OK;
    }
    const char *fault = content_fault(&form, label->format);
    if (fault != NULL) {
        private_key_clear(key);
        return error_fail(error, PORTLS_BAD_KEY, "%s: the private key in line %zu %s",
                          search->reader.name, block->line, fault);
    }
    key->format = label->format;
    return PORTLS_OK;
}

/* Examines one block with a private key. */
static portls_status look_at(struct search *search, const struct pem_block *block,
                             const struct label *label, struct private_key *key,
                             portls_error *error) {
    bool is_rsa = label->kind != NULL && strcmp(label->kind, "RSA") == 0;
    if (search->kind == PORTLS_KEY_RSA && label->kind != NULL && !is_rsa) {
        kinds_add(&search->passed, label->kind);
        return PORTLS_OK;
    }
    if (label->encrypted || block->encrypted) {
        bool kind_counts = search->kind == PORTLS_KEY_RSA && label->kind == NULL;
        return fail_encrypted_block(search->reader.name, block->line, kind_counts, error);
    }
    if (label->fault != NULL) {
        return error_fail(error, PORTLS_BAD_KEY, "%s: the private key in line %zu %s",
                          search->reader.name, block->line, label->fault);
    }
    return take_key(search, block, label, key, error);
}

static portls_status find_in_pem(const void *bytes, size_t size, const char *name,
                                 portls_key_kind kind, struct private_key *key,
                                 portls_error *error) {
    struct search search = {.kind = kind};
    pem_reader_init(&search.reader, bytes, size, name, PORTLS_BAD_KEY);
    struct pem_block block;
    while (key->bytes == NULL) {
        portls_status status = pem_reader_next(&search.reader, &block, error);
        if (status == PORTLS_EOF) {
            return search.passed.count > 0 ? fail_other_kinds(&search.passed, name, error)
                                           : fail_none(bytes, size, name, error);
        }
        const struct label *label = status == PORTLS_OK ? find_label(&block) : NULL;
        if (label != NULL) {
            status = look_at(&search, &block, label, key, error);
        }
        if (status != PORTLS_OK) {
            return status;
        }
    }
    return PORTLS_OK;
}

/* Takes a key of which all the bytes are DER. */
static portls_status take_der(const void *bytes, size_t size, const char *name,
                              portls_key_kind kind, struct private_key *key, portls_error *error) {
    if (!pem_is_der(bytes, size) && pem_is_pem(bytes, size)) {
        return error_fail(error, PORTLS_BAD_KEY,
                          "%s: it is PEM, and DER (ASN.1) was asked for (PORTLS_PEM loads a key in "
                          "PEM)",
                          name);
    }
    const struct foreign_format *format = foreign_format_of(bytes, size);
    if (format != NULL) {
        return fail_foreign(format, name, "a key in DER", error);
    }
    if (size > KEY_SIZE_MAX) {
        return error_fail(error, PORTLS_BAD_KEY,
                          "%s: too long for a private key (%d bytes at most)", name,
                          (int)KEY_SIZE_MAX);
    }
    struct key_form form;
    key_form_of(bytes, size, &form);
    if (form.encrypted) {
        return fail_encrypted(name, "", kind == PORTLS_KEY_RSA, PORTLS_ASN1, error);
    }
    if (kind == PORTLS_KEY_RSA && form.kind != NULL && !form.rsa) {
        struct kinds kinds = {.count = 0};
        kinds_add(&kinds, form.kind);
        return fail_other_kinds(&kinds, name, error);
    }
    if (form.fault != NULL) {
        return error_fail(error, PORTLS_BAD_KEY, "%s: the private key %s", name, form.fault);
    }
    uint8_t *copy = memory_allocate(size);
    if (copy == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "%s: no memory for the private key", name);
    }
    memcpy(copy, bytes, size);
    *key = (struct private_key){copy, size, form.format};
    return PORTLS_OK;
}

portls_status pem_private_key(const void *bytes, size_t size, const char *name,
                              portls_key_kind kind, portls_encoding encoding,
                              struct private_key *key, portls_error *error) {
    *key = (struct private_key){NULL, 0, BACKEND_KEY_NONE};
    return encoding == PORTLS_ASN1 ? take_der(bytes, size, name, kind, key, error)
                                   : find_in_pem(bytes, size, name, kind, key, error);
}
