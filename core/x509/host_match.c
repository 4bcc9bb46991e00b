/* Matches host names and addresses against certificates. */
#include "core/x509/host_match.h"

#include "core/x509/dns_name.h"
#include "core/x509/general_name.h"
#include "core/x509/hostname.h"

/* Matches "*.example.com", whose wildcard stands for the left-most label of the host. */
static bool wildcard_matches(const struct backend_blob *pattern, const struct backend_blob *host) {
    const uint8_t *dot = memchr(host->bytes, '.', host->size);
    if (pattern->size < 2 || memcmp(pattern->bytes, "*.", 2) != 0 || dot == NULL ||
        dot == host->bytes || memchr(host->bytes, '_', host->size) != NULL) {
        return false;
    }
    struct backend_blob parent = blob_after(pattern, 2);
    struct backend_blob host_parent = blob_after(host, (size_t)(dot - host->bytes) + 1);
    return dns_name_labels(&parent) >= 2 && dns_name_equal(&parent, &host_parent);
}

static enum host_match match_name(const struct backend_blob *pattern, const char *host) {
    struct backend_blob name = {(const uint8_t *)host, strlen(host)};
    if (name.size > 0 && dns_name_equal(pattern, &name)) {
        return HOST_EQUAL;
    }
    return name.size > 0 && wildcard_matches(pattern, &name) ? HOST_WILDCARD : HOST_DIFFERENT;
}

enum host_match host_match(const struct certificate *certificate, const char *host) {
    enum host_match closest = HOST_DIFFERENT;
    struct backend_blob names = certificate->alternative_names;
    uint8_t tag = 0;
    struct backend_blob name;
    while (der_next(&names, &tag, &name, NULL)) {
        enum host_match match = tag == NAME_DNS ? match_name(&name, host) : HOST_DIFFERENT;
        closest = match > closest ? match : closest;
    }
    return closest;
}

bool host_matches(const struct certificate *certificate, const char *host, bool is_address) {
    uint8_t address[16];
    size_t address_size = is_address ? hostname_address(host, strlen(host), address) : 0;
    if (is_address && address_size == 0) {
        return false;
    }
    if (!is_address) {
        return host_match(certificate, host) != HOST_DIFFERENT;
    }
    struct backend_blob names = certificate->alternative_names;
    uint8_t tag = 0;
    struct backend_blob name;
    while (der_next(&names, &tag, &name, NULL)) {
        if (tag == NAME_ADDRESS && name.size == address_size &&
            memcmp(name.bytes, address, address_size) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- listing ---- */

/* Appends a DNS name. Escapes all that no DNS name has, also the separators of the list. */
static void add_name(const struct backend_blob *name, char *text, size_t size) {
    for (size_t i = 0; i < name->size; i++) {
        char escaped[5];
        uint8_t byte = name->bytes[i];
        bool plain = byte > ' ' && byte <= '~' && byte != ',' && byte != '\\';
        (void)backend_text(escaped, sizeof escaped, plain ? "%c" : "\\x%02X", byte);
        backend_add_text(text, size, escaped);
    }
}

static void add_address(const struct backend_blob *address, char *text, size_t size) {
    size_t step = address->size == 4 ? 1 : 2;
    for (size_t i = 0; i + step <= address->size; i += step) {
        char part[8];
        const uint8_t *at = address->bytes + i;
        (void)backend_text(part, sizeof part, "%s", i > 0 ? (step == 1 ? "." : ":") : "");
        backend_add_text(text, size, part);
        (void)backend_text(part, sizeof part, step == 1 ? "%u" : "%x",
                           step == 1 ? (unsigned)at[0] : (unsigned)(at[0] << 8 | at[1]));
        backend_add_text(text, size, part);
    }
}

void host_list(const struct certificate *certificate, char *text, size_t size) {
    static const char more[] = ", ...";
    struct backend_blob names = certificate->alternative_names;
    uint8_t tag = 0;
    struct backend_blob name;
    text[0] = '\0';
    while (der_next(&names, &tag, &name, NULL)) {
        bool is_address = tag == NAME_ADDRESS && (name.size == 4 || name.size == 16);
        if (tag != NAME_DNS && !is_address) {
            continue;
        }
        size_t used = strlen(text);
        size_t room = size - (sizeof more - 1);
        backend_add_text(text, room, used > 0 ? ", " : "");
        if (is_address) {
            add_address(&name, text, room);
        } else {
            add_name(&name, text, room);
        }
        if (strlen(text) == room - 1) { /* may be incomplete */
            text[used] = '\0';
            backend_add_text(text, size, used > 0 ? more : "...");
            return;
        }
    }
}

bool host_matches_der(const struct backend_blob *der, const char *host, bool is_address,
                      char *names, size_t size) {
    struct certificate certificate;
    names[0] = '\0';
    if (!certificate_parse(der, &certificate)) {
        return false;
    }
    host_list(&certificate, names, size);
    return host_matches(&certificate, host, is_address);
}
