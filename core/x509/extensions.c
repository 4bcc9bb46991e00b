/* Parses the extensions of a certificate. */
#include "core/x509/extensions.h"

#include "core/x509/directory_string.h"
#include "core/x509/distinguished_name.h"
#include "core/x509/general_name.h"

/* Extensions are compared with each other, and a peer chooses how many there are. */
enum { EXTENSIONS_MAX = 64 };

/* ---- general names ---- */

/* Returns whether the text is of ASCII, as an IA5String is. */
static bool is_ascii(const struct backend_blob *text) {
    for (size_t i = 0; i < text->size; i++) {
        if (text->bytes[i] > 0x7f) {
            return false;
        }
    }
    return true;
}

/* Returns whether the content is of elements of DER. */
static bool is_der(struct backend_blob content) {
    struct backend_blob part;
    while (der_next(&content, NULL, &part, NULL)) {
    }
    return content.size == 0;
}

static bool is_other_name(struct backend_blob content) {
    struct backend_blob type;
    struct backend_blob value;
    return der_take_oid(&content, &type) &&
           der_take_last(&content, DER_CONTEXT_CONSTRUCTED(0), &value) && value.size > 0 &&
           is_der(value);
}

/* Returns whether the content is an EDIPartyName: two strings, of which the first may be absent. */
static bool is_edi_party(struct backend_blob content) {
    for (uint8_t tag = DER_CONTEXT_CONSTRUCTED(0); tag <= DER_CONTEXT_CONSTRUCTED(1); tag++) {
        struct backend_blob inside;
        struct backend_blob text;
        uint8_t type = 0;
        bool present = false;
        if (!der_take_optional(&content, tag, &inside, &present) ||
            (present && (!der_next(&inside, &type, &text, NULL) || inside.size > 0 ||
                         !directory_string_has_tag(type))) ||
            (!present && tag == DER_CONTEXT_CONSTRUCTED(1))) {
            return false;
        }
    }
    return content.size == 0;
}

static bool general_name_is_valid(uint8_t tag, const struct backend_blob *value) {
    struct backend_blob name;
    switch (tag) {
    case NAME_EMAIL:
    case NAME_DNS:
    case NAME_URI:
        return is_ascii(value);
    case NAME_ADDRESS:
        return value->size == 4 || value->size == 16;
    case NAME_DIRECTORY:
        return name_parse(value, &name);
    case NAME_OTHER:
        return is_other_name(*value);
    case NAME_EDI_PARTY:
        return is_edi_party(*value);
    case NAME_X400:
        return is_der(*value);
    case NAME_REGISTERED_ID:
        return der_is_oid(value);
    default:
        return false;
    }
}

static bool general_names_are_valid(struct backend_blob names) {
    while (names.size > 0) {
        uint8_t tag = 0;
        struct backend_blob value;
        if (!der_next(&names, &tag, &value, NULL) || !general_name_is_valid(tag, &value)) {
            return false;
        }
    }
    return true;
}

/* ---- extensions; each function takes the content of the OCTET STRING ---- */

static bool parse_basic_constraints(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    struct backend_blob length;
    certificate->has_basic_constraints = true;
    return der_take_last(&value, DER_SEQUENCE, &inside) &&
           der_take_boolean(&inside, &certificate->is_authority) &&
           der_take_optional(&inside, DER_INTEGER, &length, &certificate->has_path_length) &&
           inside.size == 0 &&
           (!certificate->has_path_length ||
            der_small_integer(&length, INT32_MAX, &certificate->path_length));
}

/* Parses a BIT STRING of named bits, of which the first eight count. `more` says which of the next
   eight have a name. */
static bool parse_named_bits(struct backend_blob value, uint8_t more, uint8_t *bits) {
    struct backend_blob content;
    if (!der_take_last(&value, DER_BIT_STRING, &content) || content.size < 1 || content.size > 3 ||
        content.bytes[0] > 7) {
        return false;
    }
    uint8_t last = content.bytes[content.size - 1];
    uint8_t unused = (uint8_t)((1U << content.bytes[0]) - 1);
    *bits = content.size > 1 ? content.bytes[1] : 0;
    return content.size == 1 ? content.bytes[0] == 0
                             : (last & unused) == 0 && (content.size == 2 || (last & ~more) == 0);
}

static bool parse_key_usage(struct backend_blob value, struct certificate *certificate) {
    certificate->has_key_usage = true;
    return parse_named_bits(value, 0x80, &certificate->key_usage); /* decipherOnly */
}

static bool parse_netscape_type(struct backend_blob value, struct certificate *certificate) {
    certificate->has_netscape_type = true;
    return parse_named_bits(value, 0, &certificate->netscape_type);
}

static bool parse_purposes(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    certificate->has_purposes = true;
    if (!der_take_last(&value, DER_SEQUENCE, &inside) || inside.size == 0) {
        return false;
    }
    while (inside.size > 0) {
        struct backend_blob purpose;
        if (!der_take_oid(&inside, &purpose)) {
            return false;
        }
        if (DER_IS_OID(&purpose, "\x2b\x06\x01\x05\x05\x07\x03\x01")) {
            certificate->for_servers = true;
        } else if (DER_IS_OID(&purpose, "\x2b\x06\x01\x05\x05\x07\x03\x02")) {
            certificate->for_clients = true;
        }
    }
    return true;
}

static bool parse_alternative_names(struct backend_blob value, struct certificate *certificate) {
    certificate->has_alternative_names = true;
    return der_take_last(&value, DER_SEQUENCE, &certificate->alternative_names) &&
           general_names_are_valid(certificate->alternative_names);
}

/* Returns whether a list of subtrees has bases of kinds that exist and are not forbidden there (RFC
   5280, 4.2.1.10). What a base says is looked at where names are compared with it. */
static bool subtrees_are_valid(struct backend_blob list) {
    while (list.size > 0) {
        struct backend_blob subtree;
        struct backend_blob base;
        uint8_t kind = 0;
        if (!der_take(&list, DER_SEQUENCE, &subtree) || !der_next(&subtree, &kind, &base, NULL) ||
            !general_name_is_kind(kind) || kind == NAME_X400 || kind == NAME_EDI_PARTY ||
            (kind != NAME_ADDRESS && !general_name_is_valid(kind, &base)) || !is_der(subtree)) {
            return false;
        }
    }
    return true;
}

static bool parse_name_constraints(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    struct backend_blob list;
    bool present = false;
    certificate->has_name_constraints = true;
    if (!der_take_last(&value, DER_SEQUENCE, &inside) || inside.size == 0) {
        return false;
    }
    certificate->name_constraints = inside;
    return der_take_optional(&inside, DER_CONTEXT_CONSTRUCTED(0), &list, &present) &&
           (!present || subtrees_are_valid(list)) &&
           der_take_optional(&inside, DER_CONTEXT_CONSTRUCTED(1), &list, &present) &&
           (!present || subtrees_are_valid(list)) && inside.size == 0;
}

static bool parse_subject_key_id(struct backend_blob value, struct certificate *certificate) {
    return der_take_last(&value, DER_OCTET_STRING, &certificate->subject_key_id);
}

static bool parse_issuer_key_id(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    bool present = false;
    return der_take_last(&value, DER_SEQUENCE, &inside) &&
           der_take_optional(&inside, DER_CONTEXT(0), &certificate->issuer_key_id, &present) &&
           der_take_optional(&inside, DER_CONTEXT_CONSTRUCTED(1), &certificate->issuer_key_names,
                             &present) &&
           (!present || general_names_are_valid(certificate->issuer_key_names)) &&
           der_take_optional(&inside, DER_CONTEXT(2), &certificate->issuer_key_serial, &present) &&
           inside.size == 0;
}

/* Parses an extension that matters only for policies and revocation, which are not checked. */
static bool skip_sequence(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    (void)certificate;
    return der_take_last(&value, DER_SEQUENCE, &inside) && is_der(inside);
}

static bool skip_integer(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob number;
    (void)certificate;
    return der_take_last(&value, DER_INTEGER, &number) && der_is_integer(&number);
}

/* ---- the list ---- */

typedef bool (*parser)(struct backend_blob value, struct certificate *certificate);

/* Returns the parser of a known extension, or NULL. An extension that is known may be critical,
   except for key identifiers, which never are and which OpenSSL then refuses. */
static parser parser_of(const struct backend_blob *type, bool critical) {
    static const struct {
        uint8_t number; /* under 2.5.29 */
        bool may_be_critical;
        parser parse;
    } known[] = {
        {0x0e, false, parse_subject_key_id},
        {0x0f, true, parse_key_usage},
        {0x11, true, parse_alternative_names},
        {0x13, true, parse_basic_constraints},
        {0x1e, true, parse_name_constraints},
        {0x1f, true, skip_sequence}, /* CRL distribution points */
        {0x20, true, skip_sequence}, /* certificate policies */
        {0x21, true, skip_sequence}, /* policy mappings */
        {0x23, false, parse_issuer_key_id},
        {0x24, true, skip_sequence}, /* policy constraints */
        {0x25, true, parse_purposes},
        {0x36, true, skip_integer}, /* inhibit anyPolicy */
    };
    if (DER_IS_OID(type, "\x60\x86\x48\x01\x86\xf8\x42\x01\x01")) {
        return parse_netscape_type;
    }
    if (type->size != 3 || type->bytes[0] != 0x55 || type->bytes[1] != 0x1d) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].number == type->bytes[2]) {
            return critical && !known[i].may_be_critical ? NULL : known[i].parse;
        }
    }
    return NULL;
}

struct extension {
    struct backend_blob type; /* the content of its OID */
    struct backend_blob value;
    bool critical;
};

static bool next_extension(struct backend_blob *list, struct extension *extension) {
    struct backend_blob one;
    return der_take(list, DER_SEQUENCE, &one) && der_take_oid(&one, &extension->type) &&
           der_take_boolean(&one, &extension->critical) &&
           der_take_last(&one, DER_OCTET_STRING, &extension->value);
}

/* Returns whether the first `count` extensions of the list, which are well-formed, include the
   type. */
static bool has_type(struct backend_blob list, size_t count, const struct backend_blob *type) {
    struct extension other;
    for (size_t i = 0; i < count && next_extension(&list, &other); i++) {
        if (der_equal(&other.type, type)) {
            return true;
        }
    }
    return false;
}

bool extensions_parse(struct backend_blob list, struct certificate *certificate) {
    struct backend_blob all;
    if (!der_take_last(&list, DER_SEQUENCE, &all) || all.size == 0) {
        return false;
    }
    struct backend_blob left = all;
    for (size_t count = 0; left.size > 0; count++) {
        struct extension extension;
        if (count == EXTENSIONS_MAX || !next_extension(&left, &extension) ||
            has_type(all, count, &extension.type)) {
            return false;
        }
        parser parse = parser_of(&extension.type, extension.critical);
        if (parse != NULL && !parse(extension.value, certificate)) {
            return false;
        }
        certificate->unknown_critical =
            certificate->unknown_critical || (parse == NULL && extension.critical);
    }
    return true;
}
