/* Parses a ClientHello. */
#include "core/stream/client_hello.h"

#include <string.h>

#include "core/base/memory.h"

enum { ALERT_ILLEGAL_PARAMETER = 47, ALERT_DECODE_ERROR = 50 };

enum {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_GROUPS = 10,
    EXTENSION_SIGNATURE_SCHEMES = 13,
    EXTENSION_ALPN = 16,
    EXTENSION_VERSIONS = 43,
};

enum {
    SERVER_NAME_MAX = 255,
    EXTENSIONS_MAX = 256, /* browsers send 20; it bounds the search for one that comes twice */
};

/* Where the parts lie in the message. */
struct parts {
    struct backend_blob lists[HELLO_LISTS]; /* pairs of bytes, but the extensions as they are */
    struct backend_blob server_name;
    struct backend_blob alpn; /* the names, each behind its size */
    size_t extensions;        /* the number of them */
    uint16_t legacy_version;
};

/* ---- cursors: what is left of some bytes ---- */

static bool take(struct backend_blob *cursor, size_t size, struct backend_blob *part) {
    if (cursor->size < size) {
        return false;
    }
    *part = (struct backend_blob){cursor->bytes, size};
    cursor->bytes += size;
    cursor->size -= size;
    return true;
}

/* Takes a number of `width` bytes, at most three. */
static bool take_number(struct backend_blob *cursor, size_t width, size_t *number) {
    struct backend_blob bytes;
    if (!take(cursor, width, &bytes)) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < width; i++) {
        *number = *number << 8 | bytes.bytes[i];
    }
    return true;
}

/* Takes a vector of at least `least` bytes, whose size is a number of `width` bytes. */
static bool take_vector(struct backend_blob *cursor, size_t width, size_t least,
                        struct backend_blob *vector) {
    size_t size = 0;
    return take_number(cursor, width, &size) && size >= least && take(cursor, size, vector);
}

/* Takes the vector that is all of an extension: a list of pairs, at least one. */
static bool take_codes(struct backend_blob extension, size_t width, struct backend_blob *codes) {
    return take_vector(&extension, width, 2, codes) && codes->size % 2 == 0 && extension.size == 0;
}

/* ---- extensions ---- */

/* Takes the one host name (RFC 6066, 3, which allows one name of each kind, and has one kind). */
static bool take_server_name(struct backend_blob extension, struct backend_blob *name) {
    struct backend_blob list;
    size_t kind = 0;
    return take_vector(&extension, 2, 1, &list) && extension.size == 0 &&
           take_number(&list, 1, &kind) && kind == 0 && take_vector(&list, 2, 1, name) &&
           list.size == 0 && name->size <= SERVER_NAME_MAX &&
           memchr(name->bytes, '\0', name->size) == NULL;
}

static bool take_alpn(struct backend_blob extension, struct backend_blob *names) {
    if (!take_vector(&extension, 2, 2, names) || extension.size > 0) {
        return false;
    }
    struct backend_blob left = *names;
    struct backend_blob name;
    while (left.size > 0) {
        if (!take_vector(&left, 1, 1, &name)) {
            return false;
        }
    }
    return true;
}

static bool take_extension(size_t type, struct backend_blob content, struct parts *parts) {
    switch (type) {
    case EXTENSION_SERVER_NAME:
        return take_server_name(content, &parts->server_name);
    case EXTENSION_ALPN:
        return take_alpn(content, &parts->alpn);
    case EXTENSION_VERSIONS:
        return take_codes(content, 1, &parts->lists[PORTLS_HELLO_VERSIONS]);
    case EXTENSION_GROUPS:
        return take_codes(content, 2, &parts->lists[PORTLS_HELLO_GROUPS]);
    case EXTENSION_SIGNATURE_SCHEMES:
        return take_codes(content, 2, &parts->lists[PORTLS_HELLO_SIGNATURE_SCHEMES]);
    default:
        return true;
    }
}

/* Whether one of the first `size` bytes of extensions has the type. */
static bool has_type(struct backend_blob extensions, size_t size, size_t type) {
    size_t other = 0;
    struct backend_blob content;
    extensions.size = size;
    while (take_number(&extensions, 2, &other) && take_vector(&extensions, 2, 0, &content)) {
        if (other == type) {
            return true;
        }
    }
    return false;
}

/* Takes all extensions. Sets `*alert` when one is malformed, or comes twice (RFC 8446, 4.2). */
static bool take_extensions(struct backend_blob all, struct parts *parts, int *alert) {
    struct backend_blob left = all;
    while (left.size > 0) {
        size_t before = all.size - left.size;
        size_t type = 0;
        struct backend_blob content;
        *alert = ALERT_DECODE_ERROR;
        if (!take_number(&left, 2, &type) || !take_vector(&left, 2, 0, &content) ||
            ++parts->extensions > EXTENSIONS_MAX) {
            return false;
        }
        if (has_type(all, before, type)) {
            *alert = ALERT_ILLEGAL_PARAMETER;
            return false;
        }
        if (!take_extension(type, content, parts)) {
            return false;
        }
    }
    return true;
}

static bool take_parts(struct backend_blob message, struct parts *parts, int *alert) {
    enum { CLIENT_HELLO = 1, RANDOM = 32, SESSION_ID_MAX = 32 };
    size_t type = 0;
    size_t version = 0;
    struct backend_blob body;
    struct backend_blob unused;
    struct backend_blob *suites = &parts->lists[PORTLS_HELLO_SUITES];
    struct backend_blob *extensions = &parts->lists[PORTLS_HELLO_EXTENSIONS];
    *alert = ALERT_DECODE_ERROR;
    if (!take_number(&message, 1, &type) || type != CLIENT_HELLO ||
        !take_vector(&message, 3, 0, &body) || message.size > 0 ||
        !take_number(&body, 2, &version) || !take(&body, RANDOM, &unused) ||
        !take_vector(&body, 1, 0, &unused) || unused.size > SESSION_ID_MAX ||
        !take_vector(&body, 2, 2, suites) || suites->size % 2 != 0 ||
        !take_vector(&body, 1, 1, &unused)) {
        return false;
    }
    parts->legacy_version = (uint16_t)version;
    if (body.size == 0) {
        return true; /* no extensions (RFC 5246, 7.4.1.2) */
    }
    return take_vector(&body, 2, 0, extensions) && body.size == 0 &&
           take_extensions(*extensions, parts, alert);
}

/* ---- the object ---- */

/* Copies pairs of bytes as code points to `*room`, which it moves behind them. */
static struct code_list copy_codes(struct backend_blob pairs, uint16_t **room) {
    uint16_t *codes = *room;
    size_t count = 0;
    size_t code = 0;
    while (take_number(&pairs, 2, &code)) {
        codes[count++] = (uint16_t)code;
    }
    *room += count;
    return (struct code_list){count > 0 ? codes : NULL, count};
}

static struct code_list copy_extension_types(struct backend_blob extensions, uint16_t **room) {
    uint16_t *codes = *room;
    size_t count = 0;
    size_t type = 0;
    struct backend_blob content;
    while (take_number(&extensions, 2, &type) && take_vector(&extensions, 2, 0, &content)) {
        codes[count++] = (uint16_t)type;
    }
    *room += count;
    return (struct code_list){count > 0 ? codes : NULL, count};
}

/* Copies each name, with a NUL byte behind it. Returns the number of bytes written. */
static size_t copy_alpn(struct backend_blob names, uint8_t *room) {
    struct backend_blob name;
    size_t written = 0;
    while (take_vector(&names, 1, 1, &name)) {
        room[written++] = (uint8_t)name.size;
        memcpy(room + written, name.bytes, name.size);
        written += name.size;
        room[written++] = '\0';
    }
    return written;
}

/* Makes the object in one allocation: code points, then text. */
static portls_client_hello *make_hello(const struct parts *parts) {
    size_t codes = parts->extensions + 1; /* one version, where the client lists none */
    for (int i = 0; i < PORTLS_HELLO_EXTENSIONS; i++) {
        codes += parts->lists[i].size / 2;
    }
    size_t alpn_room = parts->alpn.size * 2; /* names of a byte grow from two bytes to three */
    portls_client_hello *made = memory_zeroed(sizeof *made + codes * sizeof(uint16_t) +
                                              parts->server_name.size + 1 + alpn_room);
    if (made == NULL) {
        return NULL;
    }
    uint16_t *room = (uint16_t *)(void *)(made + 1);
    for (int i = 0; i < PORTLS_HELLO_EXTENSIONS; i++) {
        made->lists[i] = copy_codes(parts->lists[i], &room);
    }
    made->lists[PORTLS_HELLO_EXTENSIONS] =
        copy_extension_types(parts->lists[PORTLS_HELLO_EXTENSIONS], &room);
    if (made->lists[PORTLS_HELLO_VERSIONS].count == 0) {
        *room = parts->legacy_version;
        made->lists[PORTLS_HELLO_VERSIONS] = (struct code_list){room++, 1};
    }
    char *text = (char *)room;
    made->server_name = text;
    if (parts->server_name.size > 0) {
        memcpy(text, parts->server_name.bytes, parts->server_name.size);
    }
    uint8_t *alpn = (uint8_t *)text + parts->server_name.size + 1;
    made->alpn = alpn;
    made->alpn_size = copy_alpn(parts->alpn, alpn);
    return made;
}

enum hello_state client_hello_parse(const uint8_t *message, size_t size,
                                    portls_client_hello **hello, int *alert) {
    struct parts parts = {.legacy_version = 0};
    if (!take_parts((struct backend_blob){message, size}, &parts, alert)) {
        return HELLO_MALFORMED;
    }
    *hello = make_hello(&parts);
    return *hello != NULL ? HELLO_COMPLETE : HELLO_NO_MEMORY;
}

bool client_hello_offers(const portls_client_hello *hello, portls_hello_list list, uint16_t code) {
    for (size_t i = 0; i < hello->lists[list].count; i++) {
        if (hello->lists[list].codes[i] == code) {
            return true;
        }
    }
    return false;
}

/* ---- for programs ---- */

const char *portls_hello_server_name(const portls_client_hello *hello) {
    return hello->server_name;
}

const uint16_t *portls_hello_codes(const portls_client_hello *hello, portls_hello_list list,
                                   size_t *count) {
    bool known = (unsigned)list < HELLO_LISTS;
    *count = known ? hello->lists[list].count : 0;
    return known ? hello->lists[list].codes : NULL;
}

const char *portls_hello_alpn(const portls_client_hello *hello, size_t index, size_t *size) {
    size_t at = 0;
    while (at < hello->alpn_size && index > 0) {
        at += hello->alpn[at] + 2u;
        index--;
    }
    bool found = at < hello->alpn_size;
    if (size != NULL) {
        *size = found ? hello->alpn[at] : 0;
    }
    return found ? (const char *)hello->alpn + at + 1 : NULL;
}
