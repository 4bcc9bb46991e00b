/* Keys as wolfCrypt's objects: decoding and comparing. */
#ifndef BACKENDS_WOLFSSL_KEY_H
#define BACKENDS_WOLFSSL_KEY_H

#include "backends/wolfssl/wolfssl.h"

enum key_kind { KEY_RSA, KEY_EC, KEY_ED25519, KEY_ED448 };

struct key {
    enum key_kind kind;
    bool is_private; /* private: wiped when freed */
    union {
#if WITH_RSA
        RsaKey rsa;
#endif
        ecc_key ec;
#if WITH_ED25519
        ed25519_key ed25519;
#endif
#if WITH_ED448
        ed448_key ed448; /* of a certificate only */
#endif
    } as;
};

/* Decode the public key of a certificate, which may be an RSA key for RSASSA-PSS only, and a
   private key in a given format. Return NULL if the key is malformed or of an unsupported kind, or,
   with
   `*no_memory` set, if out of memory. */
struct key *key_of_certificate(const struct certificate *certificate, bool *no_memory);
struct key *key_private(const struct backend_blob *der, enum backend_key_format format,
                        bool *no_memory);

/* Returns 1 if the private key belongs to the public key, 0 if not, -1 if out of memory. Derives
   the public key from the secret part; does not trust the public part stored with it. */
int key_matches(struct key *private_key, struct key *public_key);

/* Wipes the secret parts and frees the key. Ignores NULL. */
void key_free(struct key *key);

#endif
