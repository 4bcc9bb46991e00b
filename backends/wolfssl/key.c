/* Decodes keys into wolfCrypt's objects, and checks whether two form a pair. */
#include "backends/wolfssl/key.h"

/* The largest public key: an EC point of 521 bits. RSA keys have their own buffers. */
enum { POINT_MAX = 2 * 66 + 1 };

#define OID_RSA     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_EC      "\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_RSA_PSS "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define OID_ED25519 "\x2b\x65\x70"
#define OID_ED448   "\x2b\x65\x71"

static bool kind_of(const struct backend_blob *oid, enum key_kind *kind) {
    if (DER_IS_OID(oid, OID_RSA)) {
        *kind = KEY_RSA;
        return WITH_RSA;
    }
    if (DER_IS_OID(oid, OID_EC)) {
        *kind = KEY_EC;
        return true;
    }
    *kind = KEY_ED25519;
    return WITH_ED25519 && DER_IS_OID(oid, OID_ED25519);
}

/* As kind_of, for a certificate, which may be of more kinds. */
static bool kind_of_public(const struct backend_blob *oid, enum key_kind *kind) {
    if (WITH_RSA_PSS && DER_IS_OID(oid, OID_RSA_PSS)) {
        *kind = KEY_RSA;
        return true;
    }
    if (WITH_ED448 && DER_IS_OID(oid, OID_ED448)) {
        *kind = KEY_ED448;
        return true;
    }
    return kind_of(oid, kind);
}

/* Returns an empty key of a kind, or NULL if out of memory. */
static struct key *key_new(enum key_kind kind) {
    struct key *key = XMALLOC(sizeof *key, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (key == NULL) {
        return NULL;
    }
    memset(key, 0, sizeof *key);
    key->kind = kind;
    int result = -1;
    switch (kind) {
    case KEY_RSA:
#if WITH_RSA
        result = wc_InitRsaKey(&key->as.rsa, NULL);
#endif
        break;
    case KEY_EC:
        result = wc_ecc_init(&key->as.ec);
        break;
    case KEY_ED25519:
#if WITH_ED25519
        result = wc_ed25519_init(&key->as.ed25519);
#endif
        break;
    case KEY_ED448:
#if WITH_ED448
        result = wc_ed448_init(&key->as.ed448);
#endif
        break;
    }
    if (result != 0) {
        XFREE(key, NULL, DYNAMIC_TYPE_TMP_BUFFER);
        return NULL;
    }
    return key;
}

void key_free(struct key *key) {
    if (key == NULL) {
        return;
    }
    /* wolfCrypt wipes the secret parts of each key. */
    switch (key->kind) {
    case KEY_RSA:
#if WITH_RSA
        wc_FreeRsaKey(&key->as.rsa);
#endif
        break;
    case KEY_EC:
        wc_ecc_free(&key->as.ec);
        break;
    case KEY_ED25519:
#if WITH_ED25519
        wc_ed25519_free(&key->as.ed25519);
#endif
        break;
    case KEY_ED448:
#if WITH_ED448
        wc_ed448_free(&key->as.ed448);
#endif
        break;
    }
    /* Wipes private keys only: keys are large, and those of a handshake are public. */
    volatile uint8_t *bytes = (volatile uint8_t *)key;
    size_t secret = key->is_private ? sizeof *key : 0;
    for (size_t i = 0; i < secret; i++) {
        bytes[i] = 0;
    }
    XFREE(key, NULL, DYNAMIC_TYPE_TMP_BUFFER);
}

struct key *key_of_certificate(const struct certificate *certificate, bool *no_memory) {
    enum key_kind kind;
    *no_memory = false;
    if (certificate->key.size > INT32_MAX || !kind_of_public(&certificate->key_type, &kind)) {
        return NULL;
    }
    struct key *key = key_new(kind);
    if (key == NULL) {
        *no_memory = true;
        return NULL;
    }
    const byte *der = certificate->key.bytes;
    word32 size = (word32)certificate->key.size;
    word32 read = 0;
    int result = -1;
    switch (kind) {
    case KEY_RSA:
#if WITH_RSA
        result = wc_RsaPublicKeyDecode(certificate->key_bits.bytes, &read, &key->as.rsa,
                                       (word32)certificate->key_bits.size);
#endif
        break;
    case KEY_EC:
        result = wc_EccPublicKeyDecode(der, &read, &key->as.ec, size);
        break;
    case KEY_ED25519:
#if WITH_ED25519
        result = wc_Ed25519PublicKeyDecode(der, &read, &key->as.ed25519, size);
#endif
        break;
    case KEY_ED448:
#if WITH_ED448
        result = wc_Ed448PublicKeyDecode(der, &read, &key->as.ed448, size);
#endif
        break;
    }
    if (result != 0) {
        *no_memory = result == MEMORY_E;
        key_free(key);
        return NULL;
    }
    return key;
}

/* ---- private keys ---- */

/* Parses the kind of a PrivateKeyInfo. Returns false for an encrypted key, which has another
   structure. */
static bool kind_of_pkcs8(struct backend_blob der, enum key_kind *kind) {
    struct backend_blob inside;
    struct backend_blob part;
    uint32_t version = 0;
    if (!der_take(&der, DER_SEQUENCE, &inside) || der.size > 0 ||
        !der_take(&inside, DER_INTEGER, &part) || !der_small_integer(&part, 1, &version)) {
        return false;
    }
    struct backend_blob algorithm;
    struct backend_blob oid;
    return der_take(&inside, DER_SEQUENCE, &algorithm) && der_take(&algorithm, DER_OID, &oid) &&
           der_take(&inside, DER_OCTET_STRING, &part) && kind_of(&oid, kind);
}

static bool kind_of_private(const struct backend_blob *der, enum backend_key_format format,
                            enum key_kind *kind) {
    struct backend_blob cursor = *der;
    struct backend_blob inside;
    switch (format) {
    case BACKEND_KEY_PKCS1:
        if (!WITH_RSA) {
            return false;
        }
        *kind = KEY_RSA;
        break;
    case BACKEND_KEY_SEC1:
        *kind = KEY_EC;
        break;
    case BACKEND_KEY_PKCS8:
        return kind_of_pkcs8(*der, kind);
    default:
        return false;
    }
    return der_take(&cursor, DER_SEQUENCE, &inside) && cursor.size == 0;
}

struct key *key_private(const struct backend_blob *der, enum backend_key_format format,
                        bool *no_memory) {
    enum key_kind kind;
    *no_memory = false;
    if (der->size > INT32_MAX || !kind_of_private(der, format, &kind)) {
        return NULL;
    }
    struct key *key = key_new(kind);
    if (key == NULL) {
        *no_memory = true;
        return NULL;
    }
    key->is_private = true;
    word32 size = (word32)der->size;
    word32 read = 0;
    int result = -1;
    switch (kind) {
    case KEY_RSA:
#if WITH_RSA
        result = wc_RsaPrivateKeyDecode(der->bytes, &read, &key->as.rsa, size);
#endif
        break;
    case KEY_EC:
        result = wc_EccPrivateKeyDecode(der->bytes, &read, &key->as.ec, size);
        break;
    case KEY_ED25519:
#if WITH_ED25519
        result = wc_Ed25519PrivateKeyDecode(der->bytes, &read, &key->as.ed25519, size);
#endif
        break;
    case KEY_ED448:
        break;
    }
    if (result != 0) {
        *no_memory = result == MEMORY_E;
        key_free(key);
        return NULL;
    }
    return key;
}

/* ---- matching key pairs ---- */

static int rsa_matches(struct key *private_key, struct key *public_key) {
#if WITH_RSA
    int length = wc_RsaEncryptSize(&private_key->as.rsa);
    if (length <= 0 || length != wc_RsaEncryptSize(&public_key->as.rsa)) {
        return 0;
    }
    /* Modulus and exponent of both keys; an exponent is no longer than the modulus. */
    word32 size = (word32)length;
    byte *bytes = XMALLOC((size_t)size * 4, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (bytes == NULL) {
        return -1;
    }
    word32 sizes[4] = {size, size, size, size};
    byte *parts[4] = {bytes, bytes + size, bytes + (size_t)size * 2, bytes + (size_t)size * 3};
    int matches = wc_RsaFlattenPublicKey(&private_key->as.rsa, parts[0], &sizes[0], parts[1],
                                         &sizes[1]) == 0 &&
                  wc_RsaFlattenPublicKey(&public_key->as.rsa, parts[2], &sizes[2], parts[3],
                                         &sizes[3]) == 0 &&
                  sizes[0] == sizes[2] && memcmp(parts[0], parts[2], sizes[0]) == 0 &&
                  sizes[1] == sizes[3] && memcmp(parts[1], parts[3], sizes[1]) == 0;
    XFREE(bytes, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    return matches;
#else
    (void)private_key;
    (void)public_key;
    return 0;
#endif
}

static int ec_matches(struct key *private_key, struct key *public_key) {
    if (private_key->as.ec.dp == NULL || public_key->as.ec.dp == NULL ||
        private_key->as.ec.dp->id != public_key->as.ec.dp->id) {
        return 0;
    }
    ecc_point *point = wc_ecc_new_point();
    if (point == NULL) {
        return -1;
    }
    byte derived[POINT_MAX];
    byte stated[POINT_MAX];
    word32 derived_size = sizeof derived;
    word32 stated_size = sizeof stated;
    int matches = 0;
    int result = wc_ecc_make_pub(&private_key->as.ec, point);
    if (result == 0 &&
        wc_ecc_export_point_der(private_key->as.ec.idx, point, derived, &derived_size) == 0 &&
        wc_ecc_export_x963(&public_key->as.ec, stated, &stated_size) == 0) {
        matches = derived_size == stated_size && memcmp(derived, stated, derived_size) == 0;
    }
    wc_ecc_del_point(point);
    return result == MEMORY_E ? -1 : matches;
}

static int ed25519_matches(struct key *private_key, struct key *public_key) {
#if WITH_ED25519
    byte derived[ED25519_PUB_KEY_SIZE];
    byte stated[ED25519_PUB_KEY_SIZE];
    word32 stated_size = sizeof stated;
    return wc_ed25519_make_public(&private_key->as.ed25519, derived, sizeof derived) == 0 &&
           wc_ed25519_export_public(&public_key->as.ed25519, stated, &stated_size) == 0 &&
           memcmp(derived, stated, sizeof derived) == 0;
#else
    (void)private_key;
    (void)public_key;
    return 0;
#endif
}

int key_matches(struct key *private_key, struct key *public_key) {
    if (private_key->kind != public_key->kind) {
        return 0;
    }
    switch (private_key->kind) {
    case KEY_RSA:
        return rsa_matches(private_key, public_key);
    case KEY_EC:
        return ec_matches(private_key, public_key);
    case KEY_ED25519:
        return ed25519_matches(private_key, public_key);
    case KEY_ED448:
        break;
    }
    return 0;
}
