/* Checks signatures and key strength with wolfCrypt. */
#include "backends/wolfssl/signature.h"

#include "backends/wolfssl/key.h"
#include "core/x509/strength.h"

enum scheme { SCHEME_UNKNOWN, SCHEME_RSA, SCHEME_RSA_PSS, SCHEME_ECDSA, SCHEME_ED25519 };

/* A signature algorithm. */
struct algorithm {
    enum scheme scheme;
    enum wc_HashType hash;
    int salt_size; /* RSA-PSS */
};

/* ---- parsing algorithms ---- */

/* Looks up a SHA-2 hash by the content of its OID. */
static bool hash_of(const struct backend_blob *oid, enum wc_HashType *hash) {
    static const struct {
        uint8_t last;
        enum wc_HashType hash;
    } hashes[] = {
        {1, WC_HASH_TYPE_SHA256},
        {2, WC_HASH_TYPE_SHA384},
        {3, WC_HASH_TYPE_SHA512},
        {4, WC_HASH_TYPE_SHA224},
    };
    static const uint8_t prefix[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};
    if (oid->size != sizeof prefix + 1 || memcmp(oid->bytes, prefix, sizeof prefix) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        if (hashes[i].last == oid->bytes[sizeof prefix]) {
            *hash = hashes[i].hash;
            return true;
        }
    }
    return false;
}

/* Takes the AlgorithmIdentifier of a hash. */
static bool take_hash(struct backend_blob *cursor, enum wc_HashType *hash) {
    struct backend_blob algorithm;
    struct backend_blob oid;
    return der_take(cursor, DER_SEQUENCE, &algorithm) && der_take(&algorithm, DER_OID, &oid) &&
           hash_of(&oid, hash);
}

/* Parses RSASSA-PSS-params with the same hash for message and mask and the default trailer. Both
   hashes are required, since the default would be SHA-1. */
static struct algorithm pss_algorithm(struct backend_blob parameters) {
    static const struct algorithm unknown = {SCHEME_UNKNOWN, WC_HASH_TYPE_NONE, 0};
    struct algorithm algorithm = {SCHEME_RSA_PSS, WC_HASH_TYPE_NONE, 20};
    enum wc_HashType mask_hash = WC_HASH_TYPE_NONE;
    struct backend_blob inside;
    struct backend_blob part;
    struct backend_blob mask;
    struct backend_blob oid;
    struct backend_blob number;
    bool present = false;
    uint32_t salt = 20;
    if (!der_take(&parameters, DER_SEQUENCE, &inside) ||
        !der_take(&inside, DER_CONTEXT_CONSTRUCTED(0), &part) ||
        !take_hash(&part, &algorithm.hash) ||
        !der_take(&inside, DER_CONTEXT_CONSTRUCTED(1), &part) ||
        !der_take(&part, DER_SEQUENCE, &mask) || !der_take(&mask, DER_OID, &oid) ||
        !DER_IS_OID(&oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08") ||
        !take_hash(&mask, &mask_hash) || mask_hash != algorithm.hash ||
        !der_take_optional(&inside, DER_CONTEXT_CONSTRUCTED(2), &part, &present) ||
        (present &&
         (!der_take(&part, DER_INTEGER, &number) || !der_small_integer(&number, 512, &salt))) ||
        inside.size > 0) {
        return unknown;
    }
    algorithm.salt_size = (int)salt;
    return algorithm;
}

static struct algorithm algorithm_of(const struct certificate *certificate) {
    static const struct {
        struct algorithm algorithm;
        uint8_t size;
        const char *oid;
    } algorithms[] = {
        {{SCHEME_RSA, WC_HASH_TYPE_SHA256, 0}, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"},
        {{SCHEME_RSA, WC_HASH_TYPE_SHA384, 0}, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"},
        {{SCHEME_RSA, WC_HASH_TYPE_SHA512, 0}, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"},
        {{SCHEME_RSA, WC_HASH_TYPE_SHA224, 0}, 9, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"},
        {{SCHEME_ECDSA, WC_HASH_TYPE_SHA224, 0}, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x01"},
        {{SCHEME_ECDSA, WC_HASH_TYPE_SHA256, 0}, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x02"},
        {{SCHEME_ECDSA, WC_HASH_TYPE_SHA384, 0}, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x03"},
        {{SCHEME_ECDSA, WC_HASH_TYPE_SHA512, 0}, 8, "\x2a\x86\x48\xce\x3d\x04\x03\x04"},
        {{SCHEME_ED25519, WC_HASH_TYPE_NONE, 0}, 3, "\x2b\x65\x70"},
    };
    const struct backend_blob *type = &certificate->signature_type;
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        if (type->size == algorithms[i].size &&
            memcmp(type->bytes, algorithms[i].oid, type->size) == 0) {
            return algorithms[i].algorithm;
        }
    }
    if (WITH_RSA_PSS && DER_IS_OID(type, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")) {
        return pss_algorithm(certificate->signature_parameters);
    }
    return (struct algorithm){SCHEME_UNKNOWN, WC_HASH_TYPE_NONE, 0};
}

/* ---- verifying ---- */

static bool verify_hashed(const struct certificate *certificate, struct algorithm algorithm,
                          struct key *key) {
    enum wc_SignatureType type = WC_SIGNATURE_TYPE_ECC;
    word32 key_size = sizeof key->as.ec;
#if WITH_RSA
    if (key->kind == KEY_RSA) {
        type = WC_SIGNATURE_TYPE_RSA_W_ENC;
        key_size = sizeof key->as.rsa;
    }
#endif
    return wc_SignatureVerify(algorithm.hash, type, certificate->signed_part.bytes,
                              (word32)certificate->signed_part.size, certificate->signature.bytes,
                              (word32)certificate->signature.size, &key->as, key_size) == 0;
}

static bool verify_pss(const struct certificate *certificate, struct algorithm algorithm,
                       struct key *key) {
#if WITH_RSA_PSS
    byte digest[WC_MAX_DIGEST_SIZE];
    int digest_size = wc_HashGetDigestSize(algorithm.hash);
    int mask = algorithm.hash == WC_HASH_TYPE_SHA224   ? WC_MGF1SHA224
               : algorithm.hash == WC_HASH_TYPE_SHA256 ? WC_MGF1SHA256
               : algorithm.hash == WC_HASH_TYPE_SHA384 ? WC_MGF1SHA384
                                                       : WC_MGF1SHA512;
    word32 size = (word32)certificate->signature.size;
    if (size == 0 || digest_size <= 0 ||
        wc_Hash(algorithm.hash, certificate->signed_part.bytes,
                (word32)certificate->signed_part.size, digest, (word32)digest_size) != 0) {
        return false;
    }
    /* wolfCrypt overwrites the signature. */
    byte *work = XMALLOC(size, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (work == NULL) {
        return false;
    }
    memcpy(work, certificate->signature.bytes, size);
    byte *padded = NULL;
    int padded_size = wc_RsaPSS_VerifyInline_ex(work, size, &padded, algorithm.hash, mask,
                                                algorithm.salt_size, &key->as.rsa);
    bool valid = padded_size > 0 && padded != NULL &&
                 wc_RsaPSS_CheckPadding_ex(digest, (word32)digest_size, padded, (word32)padded_size,
                                           algorithm.hash, algorithm.salt_size, 0) == 0;
    XFREE(work, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    return valid;
#else
    (void)certificate;
    (void)algorithm;
    (void)key;
    return false;
#endif
}

static bool verify_ed25519(const struct certificate *certificate, struct key *key) {
#if WITH_ED25519
    int valid = 0;
    return wc_ed25519_verify_msg(certificate->signature.bytes, (word32)certificate->signature.size,
                                 certificate->signed_part.bytes,
                                 (word32)certificate->signed_part.size, &valid,
                                 &key->as.ed25519) == 0 &&
           valid == 1;
#else
    (void)certificate;
    (void)key;
    return false;
#endif
}

bool signature_is_valid(const struct certificate *certificate, const struct certificate *issuer) {
    struct algorithm algorithm = algorithm_of(certificate);
    if (algorithm.scheme == SCHEME_UNKNOWN) {
        return false;
    }
    bool no_memory = false;
    struct key *key = key_of_certificate(issuer, &no_memory);
    if (key == NULL) {
        return false;
    }
    bool valid = false;
    switch (algorithm.scheme) {
    case SCHEME_RSA:
        valid = key->kind == KEY_RSA && verify_hashed(certificate, algorithm, key);
        break;
    case SCHEME_ECDSA:
        valid = key->kind == KEY_EC && verify_hashed(certificate, algorithm, key);
        break;
    case SCHEME_RSA_PSS:
        valid = key->kind == KEY_RSA && verify_pss(certificate, algorithm, key);
        break;
    case SCHEME_ED25519:
        valid = key->kind == KEY_ED25519 && verify_ed25519(certificate, key);
        break;
    case SCHEME_UNKNOWN:
        break;
    }
    key_free(key);
    return valid;
}

bool signature_key_is_strong(const struct certificate *certificate, bool *no_memory) {
    *no_memory = false;
    struct key *key =
        strength_of_key(certificate) ? key_of_certificate(certificate, no_memory) : NULL;
    key_free(key);
    return key != NULL;
}
