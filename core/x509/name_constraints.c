/* Name constraints: checks every name of a certificate against the subtrees of an authority. */
#include "core/x509/name_constraints.h"

#include "core/x509/dns_name.h"
#include "core/x509/general_name.h"

enum match { MATCHES, MATCHES_NOT, CANNOT_TELL };

/* ---- hosts in names ---- */

/* Returns the position behind the last @ of the text, or 0. */
static size_t behind_at(const struct backend_blob *text) {
    size_t at = text->size;
    while (at > 0 && text->bytes[at - 1] != '@') {
        at--;
    }
    return at;
}

static bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

/* Returns whether the last label begins with a digit, as of an IPv4 address in any notation. */
static bool ends_in_number(const struct backend_blob *host) {
    size_t at = host->size;
    while (at > 0 && host->bytes[at - 1] != '.') {
        at--;
    }
    return at < host->size && is_digit(host->bytes[at]);
}

/* Whether the byte is one of the characters. */
static bool is_one_of(uint8_t byte, const char *characters) {
    return byte != '\0' && strchr(characters, byte) != NULL;
}

/* Returns the host of a URI (RFC 3986, 3.2): between "//" and the port or the end of the authority.
   Returns an empty one if there is no authority. A user stays in it, so that it is no DNS name. */
static struct backend_blob uri_host(const struct backend_blob *uri) {
    size_t scheme = 0;
    while (scheme < uri->size && !is_one_of(uri->bytes[scheme], ":/?#")) {
        scheme++;
    }
    struct backend_blob host = blob_after(uri, scheme);
    if (scheme == 0 || host.size < 3 || memcmp(host.bytes, "://", 3) != 0) {
        return (struct backend_blob){NULL, 0};
    }
    host = blob_after(&host, 3);
    size_t size = 0;
    while (size < host.size && !is_one_of(host.bytes[size], "/?#")) {
        size++;
    }
    host.size = size;
    while (size > 0 && is_digit(host.bytes[size - 1])) {
        size--;
    }
    if (size > 0 && host.bytes[size - 1] == ':') {
        host.size = size - 1;
    }
    return host;
}

/* Finds the host of a text, and whether it is a DNS name. */
static void find_host(struct constrained_name *name) {
    name->host = name->value;
    if (name->kind == NAME_URI) {
        name->host = uri_host(&name->value);
        name->is_understood = !ends_in_number(&name->host);
    } else if (name->kind == NAME_EMAIL) {
        size_t start = behind_at(&name->value);
        name->host = blob_after(&name->value, start);
        name->is_understood = start > 1;
    }
    struct backend_blob labels = name->host;
    if (name->kind == NAME_DNS && labels.size > 2 && memcmp(labels.bytes, "*.", 2) == 0) {
        labels = blob_after(&labels, 2);
    }
    name->is_understood = name->is_understood && dns_name_labels(&labels) > 0;
}

/* `value` is the content of the GeneralName. */
static void read_name(uint8_t kind, const struct backend_blob *value,
                      struct constrained_name *name) {
    *name = (struct constrained_name){.kind = kind, .is_understood = true, .value = *value};
    switch (kind) {
    case NAME_DNS:
    case NAME_EMAIL:
    case NAME_URI:
        find_host(name);
        break;
    case NAME_DIRECTORY:
        name->is_understood = name_parse(value, &name->value);
        break;
    case NAME_ADDRESS:
        name->is_understood = value->size == 4 || value->size == 16;
        break;
    default:
        name->is_understood = false;
    }
}

/* ---- subtrees ---- */

/* Takes the next subtree. Refuses one with a minimum or a maximum, and a tag that is no choice of
   GeneralName. */
static bool next_subtree(struct backend_blob *list, struct subtree *subtree) {
    struct backend_blob inside;
    return der_take(list, DER_SEQUENCE, &inside) &&
           der_next(&inside, &subtree->kind, &subtree->base, NULL) && inside.size == 0 &&
           general_name_is_kind(subtree->kind);
}

/* Matches a host: ".example.com" covers all names below it; "example.com" covers itself, and for
   DNS names also those below. A wildcard is covered as if it were a label, and an excluded name as
   well covers the wildcard that stands for it. */
static enum match match_host(const struct constrained_name *name, const struct subtree *subtree,
                             const struct backend_blob *base) {
    const struct backend_blob *host = &name->host;
    bool dotted = base->size > 0 && base->bytes[0] == '.';
    struct backend_blob plain = blob_after(base, dotted ? 1 : 0);
    if (dns_name_labels(&plain) == 0) {
        return CANNOT_TELL;
    }
    if (subtree->is_excluded && host->bytes[0] == '*') {
        const uint8_t *dot = memchr(base->bytes, '.', base->size);
        struct backend_blob parent = {dot,
                                      dot == NULL ? 0 : base->size - (size_t)(dot - base->bytes)};
        struct backend_blob wild = blob_after(host, 1);
        if (dns_name_equal(&wild, &parent)) {
            return MATCHES;
        }
    }
    if (!dotted && dns_name_equal(host, &plain)) {
        return MATCHES;
    }
    return (dotted || name->kind == NAME_DNS) && host->size > plain.size &&
                   host->bytes[host->size - plain.size - 1] == '.' &&
                   dns_name_ends_with(host, &plain)
               ? MATCHES
               : MATCHES_NOT;
}

/* Matches a mail address with a host, or with a mailbox, whose local part is case-sensitive. */
static enum match match_email(const struct constrained_name *name, const struct subtree *subtree) {
    size_t local = behind_at(&subtree->base);
    struct backend_blob host = blob_after(&subtree->base, local);
    if (local == 0) {
        return match_host(name, subtree, &host);
    }
    if (dns_name_labels(&host) == 0 || memchr(name->value.bytes, '"', name->value.size) != NULL) {
        return CANNOT_TELL; /* a quoted local part can be equal to one that looks different */
    }
    bool same_local = name->value.size - name->host.size == local &&
                      memcmp(name->value.bytes, subtree->base.bytes, local) == 0;
    return same_local && dns_name_equal(&name->host, &host) ? MATCHES : MATCHES_NOT;
}

/* Matches an address with an address and a mask, whose bits are ones followed by zeros. */
static enum match match_address(const struct constrained_name *name,
                                const struct backend_blob *base) {
    size_t size = base->size / 2;
    if (base->size != 8 && base->size != 32) {
        return CANNOT_TELL;
    }
    bool matches = name->value.size == size;
    bool has_ended = false;
    for (size_t i = 0; i < size; i++) {
        uint8_t mask = base->bytes[size + i];
        uint8_t zeros = (uint8_t)~mask;
        if ((zeros & (zeros + 1)) != 0 || (has_ended && mask != 0)) {
            return CANNOT_TELL;
        }
        has_ended = zeros != 0;
        matches = matches && ((name->value.bytes[i] ^ base->bytes[i]) & mask) == 0;
    }
    return matches ? MATCHES : MATCHES_NOT;
}

static enum match match_directory(const struct constrained_name *name,
                                  const struct backend_blob *base) {
    struct backend_blob prefix;
    if (!name_parse(base, &prefix)) {
        return CANNOT_TELL;
    }
    return name_has_prefix(&name->value, &prefix) ? MATCHES : MATCHES_NOT;
}

/* Matches a name with a subtree of its kind. */
static enum match match_name(const struct constrained_name *name, const struct subtree *subtree) {
    if (!name->is_understood) {
        return CANNOT_TELL;
    }
    switch (name->kind) {
    case NAME_EMAIL:
        return match_email(name, subtree);
    case NAME_DNS:
        return subtree->base.size == 0 ? MATCHES : match_host(name, subtree, &subtree->base);
    case NAME_URI:
        return match_host(name, subtree, &subtree->base);
    case NAME_DIRECTORY:
        return match_directory(name, &subtree->base);
    default:
        return match_address(name, &subtree->base);
    }
}

/* ---- certificates ---- */

/* Takes a comparison, or several if it is long, off those that are left. */
static bool spend(struct name_check *check) {
    size_t cost = 1 + (check->name.value.size + check->subtree.base.size) / 64;
    bool suffices = check->left > cost;
    check->left = suffices ? check->left - cost : 0;
    return suffices;
}

/* Returns whether the name is in a permitted subtree of its kind, if there is one, and in no
   excluded one. */
static bool is_within(struct name_check *check) {
    struct subtree *subtree = &check->subtree;
    bool is_restricted = false;
    bool is_permitted = false;
    check->lists = check->constraints;
    for (uint8_t list = 0; list < 2; list++) {
        bool present = false;
        check->subtrees.size = 0;
        subtree->is_excluded = list == 1;
        if (!der_take_optional(&check->lists, DER_CONTEXT_CONSTRUCTED(list), &check->subtrees,
                               &present)) {
            return false;
        }
        while (check->subtrees.size > 0) {
            if (!next_subtree(&check->subtrees, subtree) || !spend(check)) {
                return false;
            }
            if (subtree->kind != check->name.kind) {
                continue;
            }
            enum match match = match_name(&check->name, subtree);
            if (match == CANNOT_TELL || (match == MATCHES && subtree->is_excluded)) {
                return false;
            }
            is_restricted = is_restricted || !subtree->is_excluded;
            is_permitted = is_permitted || match == MATCHES;
        }
    }
    return check->lists.size == 0 && (is_permitted || !is_restricted);
}

/* Checks a common name that looks like a host, with a dot, as a DNS name: OpenSSL does, although no
   host is compared with it. One in 16 or 32 bits per character cannot be told. */
static bool common_name_is_within(struct name_check *check) {
    struct backend_blob text = check->attribute.value;
    uint8_t tag = check->attribute.tag;
    while (text.size > 0 && text.bytes[text.size - 1] == 0) {
        text.size--;
    }
    read_name(NAME_DNS, &text, &check->name);
    bool is_wide = tag == DER_BMP_STRING || tag == DER_UNIVERSAL_STRING;
    bool is_host = check->name.is_understood && memchr(text.bytes, '.', text.size) != NULL;
    check->name.is_understood = !is_wide;
    return (!is_wide && !is_host) || is_within(check);
}

/* Checks a mail address in a subject, which is an IA5String. */
static bool email_is_within(struct name_check *check) {
    read_name(NAME_EMAIL, &check->attribute.value, &check->name);
    return check->attribute.tag == DER_IA5_STRING && is_within(check);
}

/* Checks the subject, the mail addresses in it, and, of a leaf without alternative names, the
   common names. */
static bool subject_is_within(struct name_check *check, const struct certificate *certificate,
                              bool is_leaf) {
    bool is_nameless = is_leaf && !certificate->has_alternative_names;
    check->name = (struct constrained_name){
        .kind = NAME_DIRECTORY, .is_understood = true, .value = certificate->subject};
    if (certificate->subject.size > 0 && !is_within(check)) {
        return false;
    }
    check->rdns = certificate->subject;
    check->set.size = 0;
    while (name_next(&check->rdns, &check->set, &check->attribute)) {
        if (name_is_email(&check->attribute) && !email_is_within(check)) {
            return false;
        }
        if (is_nameless && name_is_common_name(&check->attribute) &&
            !common_name_is_within(check)) {
            return false;
        }
    }
    return true;
}

/* Checks a mail address in UTF-8 among the other names, which rfc822Name constrains too (RFC 9598,
   section 6). */
static bool mailbox_is_within(struct name_check *check, struct backend_blob other_name) {
    struct backend_blob part;
    check->mailbox.size = 0;
    if (!der_take(&other_name, DER_OID, &part) ||
        !DER_IS_OID(&part, "\x2b\x06\x01\x05\x05\x07\x08\x09")) {
        return true;
    }
    if (der_take(&other_name, DER_CONTEXT_CONSTRUCTED(0), &part)) {
        (void)der_take(&part, DER_UTF8_STRING, &check->mailbox);
    }
    read_name(NAME_EMAIL, &check->mailbox, &check->name);
    return is_within(check);
}

static bool alternative_names_are_within(struct name_check *check, struct backend_blob names) {
    check->names = names;
    while (check->names.size > 0) {
        uint8_t kind = 0;
        struct backend_blob value;
        if (!der_next(&check->names, &kind, &value, NULL)) {
            return false;
        }
        read_name(kind, &value, &check->name);
        if (!is_within(check) || (kind == NAME_OTHER && !mailbox_is_within(check, value))) {
            return false;
        }
    }
    return true;
}

bool name_constraints_hold(const struct certificate *authority,
                           const struct certificate *certificate, bool is_leaf,
                           struct name_check *check) {
    check->constraints = authority->name_constraints;
    return !authority->has_name_constraints ||
           (subject_is_within(check, certificate, is_leaf) &&
            alternative_names_are_within(check, certificate->alternative_names));
}
