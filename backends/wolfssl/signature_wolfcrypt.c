/* Checks signatures with wolfCrypt. */
#include "backends/wolfssl/key.h"
#include "backends/wolfssl/signature.h"
#include "core/x509/pss.h"

#define OID_PKCS1 "\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define OID_ECDSA "\x2a\x86\x48\xce\x3d\x04\x03" /* with SHA-2 */

/* Returns the hash of SHA-2 by its number in pss.h, or WC_HASH_TYPE_NONE. */
static enum wc_HashType hash_of(unsigned number) {
    switch (number) {
    case PSS_SHA224:
        return WC_HASH_TYPE_SHA224;
    case PSS_SHA256:
        return WC_HASH_TYPE_SHA256;
    case PSS_SHA384:
        return WC_HASH_TYPE_SHA384;
    case PSS_SHA512:
        return WC_HASH_TYPE_SHA512;
    default:
        return WC_HASH_TYPE_NONE;
    }
}

/* Returns the last number of an OID that begins with `arc`, else 0. */
static unsigned number_under(const struct backend_blob *oid, const char *arc, size_t size) {
    return oid->size == size + 1 && memcmp(oid->bytes, arc, size) == 0 ? oid->bytes[size] : 0;
}

#if WITH_RSA_PSS
static bool check_pss(const struct certificate *certificate, const struct pss *pss,
                      struct key *key) {
    byte digest[WC_MAX_DIGEST_SIZE];
    enum wc_HashType hash = hash_of(pss->hash);
    int digest_size = wc_HashGetDigestSize(hash);
    word32 size = (word32)certificate->signature.size;
    if (hash_of(pss->mask_hash) == WC_HASH_TYPE_NONE || size == 0 || digest_size <= 0 ||
        wc_Hash(hash, certificate->signed_part.bytes, (word32)certificate->signed_part.size, digest,
                (word32)digest_size) != 0) {
        return false;
    }
    /* wolfCrypt overwrites the signature, and numbers the hashes of masks as their OIDs do. */
    byte *work = XMALLOC(size, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (work == NULL) {
        return false;
    }
    memcpy(work, certificate->signature.bytes, size);
    byte *padded = NULL;
    int padded_size = wc_RsaPSS_VerifyInline_ex(work, size, &padded, hash, pss->mask_hash,
                                                (int)pss->salt_size, &key->as.rsa);
    bool valid = padded_size > 0 && padded != NULL &&
                 wc_RsaPSS_CheckPadding_ex(digest, (word32)digest_size, padded, (word32)padded_size,
                                           hash, (int)pss->salt_size, 0) == 0;
    XFREE(work, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    return valid;
}
#endif

/* Checks a signature of a digest. `key_size` is that of wolfCrypt's key. */
static bool check_hashed(const struct certificate *certificate, enum wc_HashType hash,
                         enum wc_SignatureType type, struct key *key, size_t key_size) {
    return hash != WC_HASH_TYPE_NONE &&
           wc_SignatureVerify(hash, type, certificate->signed_part.bytes,
                              (word32)certificate->signed_part.size, certificate->signature.bytes,
                              (word32)certificate->signature.size, &key->as, (word32)key_size) == 0;
}

#if WITH_RSA
static bool check_rsa(const struct certificate *certificate, const struct certificate *issuer,
                      struct key *key) {
    /* 11 to 14 are the hashes 1 to 4 with RSA, 10 is RSASSA-PSS, also of a key. */
    unsigned number = number_under(&certificate->signature_type, OID_PKCS1, 8);
#if WITH_RSA_PSS
    struct pss pss;
    if (number == 10) {
        return pss_signature(certificate, issuer, &pss) && check_pss(certificate, &pss, key);
    }
#endif
    return number > 10 && DER_IS_OID(&issuer->key_type, OID_PKCS1 "\x01") &&
           check_hashed(certificate, hash_of(number - 10), WC_SIGNATURE_TYPE_RSA_W_ENC, key,
                        sizeof key->as.rsa);
}
#endif

static bool check_ecdsa(const struct certificate *certificate, struct key *key) {
    /* 1 to 4 are SHA-224, SHA-256, SHA-384 and SHA-512. */
    unsigned number = number_under(&certificate->signature_type, OID_ECDSA, 7);
    return check_hashed(certificate, hash_of(number == 1 ? PSS_SHA224 : number - 1),
                        WC_SIGNATURE_TYPE_ECC, key, sizeof key->as.ec);
}

#if WITH_ED25519
static bool check_ed25519(const struct certificate *certificate, struct key *key) {
    int valid = 0;
    return DER_IS_OID(&certificate->signature_type, "\x2b\x65\x70") &&
           wc_ed25519_verify_msg(certificate->signature.bytes, (word32)certificate->signature.size,
                                 certificate->signed_part.bytes,
                                 (word32)certificate->signed_part.size, &valid,
                                 &key->as.ed25519) == 0 &&
           valid == 1;
}
#endif

#if WITH_ED448
static bool check_ed448(const struct certificate *certificate, struct key *key) {
    int valid = 0;
    return DER_IS_OID(&certificate->signature_type, "\x2b\x65\x71") &&
           wc_ed448_verify_msg(certificate->signature.bytes, (word32)certificate->signature.size,
                               certificate->signed_part.bytes,
                               (word32)certificate->signed_part.size, &valid, &key->as.ed448, NULL,
                               0) == 0 &&
           valid == 1;
}
#endif

static bool check(const struct certificate *certificate, const struct certificate *issuer,
                  struct key *key) {
    (void)issuer;
    switch (key->kind) {
    case KEY_RSA:
#if WITH_RSA
        return check_rsa(certificate, issuer, key);
#endif
        break;
    case KEY_EC:
        return check_ecdsa(certificate, key);
    case KEY_ED25519:
#if WITH_ED25519
        return check_ed25519(certificate, key);
#endif
        break;
    case KEY_ED448:
#if WITH_ED448
        return check_ed448(certificate, key);
#endif
        break;
    }
    return false;
}

bool signature_is_valid(const struct certificate *certificate, const struct certificate *issuer) {
    bool no_memory = false;
    struct key *key = key_of_certificate(issuer, &no_memory);
    bool valid = key != NULL && check(certificate, issuer, key);
    key_free(key);
    return valid;
}
