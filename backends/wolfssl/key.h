/* Keys as wolfCrypt's objects: decoding, comparing, verifying with them. */
#ifndef BACKENDS_WOLFSSL_KEY_H
#define BACKENDS_WOLFSSL_KEY_H

#include "backends/wolfssl/wolfssl.h"

enum key_kind { KEY_RSA, KEY_EC, KEY_ED25519 };

struct key {
    enum key_kind kind;
    bool is_secret; /* a private key: what is freed is wiped */
    union {
#if WITH_RSA
        RsaKey rsa;
#endif
        ecc_key ec;
#if WITH_ED25519
        ed25519_key ed25519;
#endif
    } as;
};

/*
 * The public key of a certificate; the private key of a format. NULL: it is damaged, of a kind not
 * known here, or there is no memory, as *no_memory tells.
 */
struct key *key_of_certificate(const struct certificate *certificate, bool *no_memory);
struct key *key_private(const struct backend_blob *der, enum backend_key_format format,
                        bool *no_memory);

/*
 * Whether a private key belongs to a public one. The public part is worked out from the secret one:
 * what a file says about it is not believed. -1: there is no memory.
 */
int key_belongs(struct key *private_key, struct key *public_key);

/* Wipes what is secret, and frees; NULL does nothing. */
void key_free(struct key *key);

#endif
