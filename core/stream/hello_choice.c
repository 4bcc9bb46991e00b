/* Chooses by a ClientHello. */
#include "core/stream/hello_choice.h"

#include <string.h>

#include "core/x509/host_match.h"

/* ---- what the client can verify ---- */

enum { VERSION_TLS13 = 0x0304 };

/* A kind of key: its type, the curve of an EC key, and the signature schemes for it in TLS 1.3
   (RFC 8446, 4.2.3) and in TLS 1.2 (RFC 8422, 5.1.1; any curve there). */
struct key_kind {
    const char *type; /* the content of the OID */
    size_t type_size;
    const char *curve; /* the content of the OID; NULL: none */
    size_t curve_size;
    bool is_rsa; /* which cipher suites of TLS 1.2 it fits */
    uint16_t schemes[3];
    uint16_t older_schemes[3]; /* in TLS 1.2 also */
};

#define TYPE(oid) (oid), sizeof(oid) - 1

#define RSA_ENCRYPTION "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define RSASSA_PSS     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define EC_PUBLIC_KEY  "\x2a\x86\x48\xce\x3d\x02\x01"
#define P256           "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define P384           "\x2b\x81\x04\x00\x22"
#define P521           "\x2b\x81\x04\x00\x23"

static const struct key_kind kinds[] = {
    {TYPE(RSA_ENCRYPTION), NULL, 0, true, {0x0804, 0x0805, 0x0806}, {0x0401, 0x0501, 0x0601}},
    {TYPE(RSASSA_PSS), NULL, 0, true, {0x0809, 0x080a, 0x080b}, {0}},
    {TYPE(EC_PUBLIC_KEY), TYPE(P256), false, {0x0403}, {0x0503, 0x0603}},
    {TYPE(EC_PUBLIC_KEY), TYPE(P384), false, {0x0503}, {0x0403, 0x0603}},
    {TYPE(EC_PUBLIC_KEY), TYPE(P521), false, {0x0603}, {0x0403, 0x0503}},
    {TYPE("\x2b\x65\x70"), NULL, 0, false, {0x0807}, {0}},
    {TYPE("\x2b\x65\x71"), NULL, 0, false, {0x0808}, {0}},
};

static bool is_oid(const struct backend_blob *blob, const char *oid, size_t size) {
    return blob->size == size && memcmp(blob->bytes, oid, size) == 0;
}

static const struct key_kind *kind_of(const struct certificate *certificate) {
    struct backend_blob parameters = certificate->key_parameters;
    struct backend_blob curve = {NULL, 0};
    (void)der_take(&parameters, DER_OID, &curve);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct key_kind *kind = &kinds[i];
        if (is_oid(&certificate->key_type, kind->type, kind->type_size) &&
            (kind->curve == NULL || is_oid(&curve, kind->curve, kind->curve_size))) {
            return kind;
        }
    }
    return NULL;
}

static bool offers_one(const portls_client_hello *hello, portls_hello_list list,
                       const uint16_t codes[3]) {
    for (int i = 0; i < 3; i++) {
        if (codes[i] != 0 && client_hello_offers(hello, list, codes[i])) {
            return true;
        }
    }
    return false;
}

/* Returns whether the client has a signature scheme, and in TLS 1.2 a cipher suite, for the key. */
static bool can_verify(const portls_client_hello *hello, const struct snapshot *snapshot,
                       const struct certificate *certificate) {
    static const uint16_t rsa_suites[] = {0xc02f, 0xc030, 0xcca8};
    static const uint16_t ecdsa_suites[] = {0xc02b, 0xc02c, 0xcca9};
    const struct key_kind *kind = kind_of(certificate);
    if (kind == NULL) {
        return false;
    }
    bool offers = offers_one(hello, PORTLS_HELLO_SIGNATURE_SCHEMES, kind->schemes);
    if (snapshot->highest_version >= VERSION_TLS13 &&
        client_hello_offers(hello, PORTLS_HELLO_VERSIONS, VERSION_TLS13)) {
        return offers;
    }
    return (offers || offers_one(hello, PORTLS_HELLO_SIGNATURE_SCHEMES, kind->older_schemes)) &&
           offers_one(hello, PORTLS_HELLO_SUITES, kind->is_rsa ? rsa_suites : ecdsa_suites);
}

/* ---- choosing ---- */

/* Returns the first identity that matches the name so closely and that the client can verify, or
   the first one that matches, or NULL. */
static const struct snapshot_identity *
find(const struct snapshot *snapshot, const portls_client_hello *hello, enum host_match closeness) {
    const struct snapshot_identity *first = NULL;
    for (size_t i = 0; i < snapshot->identity_count; i++) {
        const struct snapshot_identity *identity = &snapshot->identities[i];
        if (host_match(&identity->certificate, hello->server_name) < closeness) {
            continue;
        }
        if (can_verify(hello, snapshot, &identity->certificate)) {
            return identity;
        }
        first = first != NULL ? first : identity;
    }
    return first;
}

const struct snapshot_identity *hello_choose_identity(const struct snapshot *snapshot,
                                                      const portls_client_hello *hello,
                                                      bool *is_for_name) {
    const struct snapshot_identity *found = NULL;
    if (hello->server_name[0] != '\0') {
        found = find(snapshot, hello, HOST_EQUAL);
        found = found != NULL ? found : find(snapshot, hello, HOST_WILDCARD);
    }
    *is_for_name = found != NULL || hello->server_name[0] == '\0';
    found = found != NULL ? found : find(snapshot, hello, HOST_DIFFERENT);
    return found;
}

struct backend_blob hello_choose_alpn(const struct alpn *own, const portls_client_hello *hello) {
    struct backend_blob list = {own->bytes, own->size};
    struct backend_blob name;
    while (alpn_next(&list, &name)) {
        const char *offered = NULL;
        size_t size = 0;
        for (size_t i = 0; (offered = portls_hello_alpn(hello, i, &size)) != NULL; i++) {
            if (size == name.size && memcmp(offered, name.bytes, size) == 0) {
                return (struct backend_blob){name.bytes - 1, name.size + 1};
            }
        }
    }
    return (struct backend_blob){NULL, 0};
}
