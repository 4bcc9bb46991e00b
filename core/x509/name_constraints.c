/* Name constraints: checks every name of a certificate against the subtrees of a CA. */
#include "core/x509/name_constraints.h"

#include "core/x509/distinguished_name.h"

/* The supported choices of GeneralName, by tag. */
enum {
    NAME_EMAIL = DER_CONTEXT(1),
    NAME_DNS = DER_CONTEXT(2),
    NAME_DIRECTORY = DER_CONTEXT_CONSTRUCTED(4),
    NAME_URI = DER_CONTEXT(6),
    NAME_ADDRESS = DER_CONTEXT(7),
};

/* A GeneralName. The value of a directory name is a Name, of the others the text or bytes. */
struct general_name {
    uint8_t tag;
    struct backend_blob value;
};

enum match { MATCHES, MATCHES_NOT, CANNOT_TELL };

static uint8_t lower(uint8_t byte) {
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

/* Returns whether `text` ends with `end`, ignoring case. */
static bool ends_with(const struct backend_blob *text, const struct backend_blob *end) {
    if (text->size < end->size) {
        return false;
    }
    size_t skipped = text->size - end->size;
    for (size_t i = 0; i < end->size; i++) {
        if (lower(text->bytes[skipped + i]) != lower(end->bytes[i])) {
            return false;
        }
    }
    return true;
}

static bool text_equal(const struct backend_blob *one, const struct backend_blob *other) {
    return one->size == other->size && ends_with(one, other);
}

/* Matches a DNS name: "example.com" covers itself and all names below it, ".example.com" only those
   below. */
static enum match match_dns(const struct backend_blob *name, const struct backend_blob *base) {
    if (base->size == 0 || text_equal(name, base)) {
        return MATCHES;
    }
    if (!ends_with(name, base)) {
        return MATCHES_NOT;
    }
    bool at_label = base->bytes[0] == '.' || name->bytes[name->size - base->size - 1] == '.';
    return at_label ? MATCHES : MATCHES_NOT;
}

/* Matches the host of an e-mail address or URI: ".example.com" covers all names below it,
   "example.com" only itself. */
static enum match match_host(const struct backend_blob *host, const struct backend_blob *base) {
    if (base->size > 0 && base->bytes[0] == '.') {
        return host->size > base->size && ends_with(host, base) ? MATCHES : MATCHES_NOT;
    }
    return text_equal(host, base) ? MATCHES : MATCHES_NOT;
}

/* Returns the text after the last `letter`, or all of it if there is none. */
static struct backend_blob behind_last(const struct backend_blob *text, uint8_t letter,
                                       bool *found) {
    for (size_t i = text->size; i > 0; i--) {
        if (text->bytes[i - 1] == letter) {
            *found = true;
            return (struct backend_blob){text->bytes + i, text->size - i};
        }
    }
    *found = false;
    return *text;
}

static enum match match_email(const struct backend_blob *name, const struct backend_blob *base) {
    bool name_has = false;
    bool base_has = false;
    struct backend_blob name_host = behind_last(name, '@', &name_has);
    struct backend_blob base_host = behind_last(base, '@', &base_has);
    if (!name_has) {
        return CANNOT_TELL;
    }
    if (!base_has) {
        return match_host(&name_host, base);
    }
    /* A mailbox: the local part is case-sensitive. An empty one matches the whole host. */
    size_t name_local = name->size - name_host.size;
    size_t base_local = base->size - base_host.size;
    bool same_local = base_local == 1 || (name_local == base_local &&
                                          memcmp(name->bytes, base->bytes, base_local) == 0);
    return same_local && text_equal(&name_host, &base_host) ? MATCHES : MATCHES_NOT;
}

/* Matches a URI by the host between "//" (and a user, if any) and a port or path. */
static enum match match_uri(const struct backend_blob *name, const struct backend_blob *base) {
    size_t at = 0;
    while (at + 3 <= name->size && memcmp(name->bytes + at, "://", 3) != 0) {
        at++;
    }
    if (at == 0 || at + 3 > name->size) {
        return CANNOT_TELL;
    }
    struct backend_blob host = {name->bytes + at + 3, name->size - at - 3};
    for (size_t i = 0; i < host.size; i++) {
        if (host.bytes[i] == '/' || host.bytes[i] == '?' || host.bytes[i] == '#') {
            host.size = i;
        }
    }
    bool has_user = false;
    host = behind_last(&host, '@', &has_user);
    for (size_t i = 0; i < host.size; i++) {
        if (host.bytes[i] == ':') {
            host.size = i;
        }
    }
    return host.size == 0 || host.bytes[0] == '[' ? CANNOT_TELL : match_host(&host, base);
}

/* Matches an address; the base is an address and a mask. */
static enum match match_address(const struct backend_blob *name, const struct backend_blob *base) {
    if ((base->size != 8 && base->size != 32) || (name->size != 4 && name->size != 16)) {
        return CANNOT_TELL;
    }
    if (base->size != name->size * 2) {
        return MATCHES_NOT;
    }
    for (size_t i = 0; i < name->size; i++) {
        uint8_t mask = base->bytes[name->size + i];
        if (((name->bytes[i] ^ base->bytes[i]) & mask) != 0) {
            return MATCHES_NOT;
        }
    }
    return MATCHES;
}

static enum match match_directory(const struct backend_blob *name,
                                  const struct backend_blob *base) {
    struct backend_blob name_inside;
    struct backend_blob base_inside;
    if (!der_whole(name->bytes, name->size, DER_SEQUENCE, &name_inside) ||
        !der_whole(base->bytes, base->size, DER_SEQUENCE, &base_inside) ||
        !name_is_valid(&name_inside) || !name_is_valid(&base_inside)) {
        return CANNOT_TELL;
    }
    return name_has_prefix(&name_inside, &base_inside) ? MATCHES : MATCHES_NOT;
}

static enum match match_name(const struct general_name *name, const struct backend_blob *base) {
    switch (name->tag) {
    case NAME_EMAIL:
        return match_email(&name->value, base);
    case NAME_DNS:
        return match_dns(&name->value, base);
    case NAME_DIRECTORY:
        return match_directory(&name->value, base);
    case NAME_URI:
        return match_uri(&name->value, base);
    case NAME_ADDRESS:
        return match_address(&name->value, base);
    default:
        return CANNOT_TELL;
    }
}

/* Both lists of subtrees; an absent list is empty. */
struct subtrees {
    struct backend_blob permitted, excluded;
};

static bool read_subtrees(struct backend_blob constraints, struct subtrees *subtrees) {
    bool present = false;
    *subtrees = (struct subtrees){.permitted = {NULL, 0}};
    if (!der_take_optional(&constraints, DER_CONTEXT_CONSTRUCTED(0), &subtrees->permitted,
                           &present) ||
        !der_take_optional(&constraints, DER_CONTEXT_CONSTRUCTED(1), &subtrees->excluded,
                           &present)) {
        return false;
    }
    return constraints.size == 0;
}

/* Takes the next subtree. Rejects one with a minimum or maximum. */
static bool next_subtree(struct backend_blob *list, struct general_name *base) {
    struct backend_blob subtree;
    return der_take(list, DER_SEQUENCE, &subtree) &&
           der_next(&subtree, &base->tag, &base->value, NULL) && subtree.size == 0;
}

/* Returns whether the name is in one of the permitted subtrees of its type, if there are any, and
   in none of the excluded ones. */
static bool name_is_within(const struct general_name *name, const struct subtrees *subtrees) {
    struct backend_blob list = subtrees->excluded;
    struct general_name base;
    while (list.size > 0) {
        if (!next_subtree(&list, &base) ||
            (base.tag == name->tag && match_name(name, &base.value) != MATCHES_NOT)) {
            return false;
        }
    }
    bool restricted = false;
    bool permitted = false;
    list = subtrees->permitted;
    while (list.size > 0) {
        if (!next_subtree(&list, &base)) {
            return false;
        }
        if (base.tag == name->tag) {
            enum match match = match_name(name, &base.value);
            restricted = true;
            permitted = permitted || match == MATCHES;
            if (match == CANNOT_TELL) {
                return false;
            }
        }
    }
    return permitted || !restricted;
}

/* Returns whether a common name looks like a host name: at least one dot; otherwise letters,
   digits, hyphens, underscores and asterisks. */
static bool looks_like_host(const struct backend_blob *text) {
    bool dot = false;
    for (size_t i = 0; i < text->size; i++) {
        uint8_t byte = lower(text->bytes[i]);
        bool letter = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
                      byte == '_' || byte == '*';
        if (byte == '.') {
            dot = true;
        } else if (!letter) {
            return false;
        }
    }
    return dot;
}

static bool subject_is_within(const struct certificate *certificate, bool is_leaf,
                              const struct subtrees *subtrees) {
    struct backend_blob rdns = certificate->subject;
    struct backend_blob set = {NULL, 0};
    struct name_attribute attribute;
    while (name_next(&rdns, &set, &attribute)) {
        struct general_name name = {NAME_EMAIL, attribute.value};
        if (name_is_email(&attribute) && !name_is_within(&name, subtrees)) {
            return false;
        }
        name.tag = NAME_DNS;
        if (is_leaf && !certificate->has_alternative_names && name_is_common_name(&attribute) &&
            looks_like_host(&name.value) && !name_is_within(&name, subtrees)) {
            return false;
        }
    }
    return true;
}

/* Checks the subject as a directory name. The base of a subtree is a complete Name, so this passes
   one as well. */
static bool directory_is_within(const struct certificate *certificate,
                                const struct subtrees *subtrees) {
    if (certificate->subject.size == 0) {
        return true;
    }
    /* The header immediately precedes the content: SEQUENCE and a length of 1 to 4 bytes. */
    size_t size = certificate->subject.size;
    size_t header = size < 0x80 ? 2 : size < 0x100 ? 3 : size < 0x10000 ? 4 : 5;
    struct general_name name = {NAME_DIRECTORY,
                                {certificate->subject.bytes - header, size + header}};
    return name_is_within(&name, subtrees);
}

bool name_constraints_hold(const struct certificate *authority,
                           const struct certificate *certificate, bool is_leaf) {
    if (!authority->has_name_constraints) {
        return true;
    }
    struct subtrees subtrees;
    if (!read_subtrees(authority->name_constraints, &subtrees) ||
        !directory_is_within(certificate, &subtrees) ||
        !subject_is_within(certificate, is_leaf, &subtrees)) {
        return false;
    }
    struct backend_blob names = certificate->alternative_names;
    while (names.size > 0) {
        struct general_name name;
        if (!der_next(&names, &name.tag, &name.value, NULL) || !name_is_within(&name, &subtrees)) {
            return false;
        }
    }
    return true;
}
