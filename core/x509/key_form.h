/* Telling the DER forms of private keys apart, and what kind of key is inside. */
#ifndef CORE_X509_KEY_FORM_H
#define CORE_X509_KEY_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/backend.h"

/* What some DER turned out to be. */
struct key_form {
    enum backend_key_format format; /* BACKEND_KEY_NONE: none a backend is given */
    const char *kind;               /* "RSA", "EC", "Ed25519", …; NULL when it cannot be told */
    bool rsa;                       /* also RSASSA-PSS */
    bool encrypted;                 /* an EncryptedPrivateKeyInfo */
    const char *fault; /* why it cannot be used, to stand behind "the private key "; or NULL */
};

/* Looks at the structure of all the bytes. Nothing is copied. */
void key_form_of(const void *bytes, size_t size, struct key_form *form);

#endif
