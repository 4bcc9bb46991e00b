/*
 * Certificates and private keys as a program loads them: finds them in PEM or DER, so that every
 * backend gets the same DER and every mistake has the same message.
 */
#ifndef CORE_X509_CREDENTIALS_H
#define CORE_X509_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/backend.h"
#include "portls/context.h"
#include "portls/error.h"

/* A list of DER certificates, in one allocation per certificate. */
struct certificate_list {
    struct backend_blob *blobs;
    size_t count;
};

/* Frees what the list holds and makes it empty. */
void certificate_list_clear(struct certificate_list *list);

/* Frees what stands behind the first `count` in the list. */
void certificate_list_shorten(struct certificate_list *list, size_t count);

/* Makes room for `more` further certificates; false: no memory. */
bool certificate_list_reserve(struct certificate_list *list, size_t more);

/* Appends copies of all of `more`. PORTLS_OK or PORTLS_NO_MEMORY, and then nothing is appended. */
portls_status certificate_list_append(struct certificate_list *list,
                                      const struct certificate_list *more, portls_error *error);

/* The same, but moves them: `more` is empty then. On failure both are as they were. */
portls_status certificate_list_take(struct certificate_list *list, struct certificate_list *more,
                                    portls_error *error);

/*
 * Decodes every certificate of a PEM text (CERTIFICATE, X509 CERTIFICATE, TRUSTED CERTIFICATE are
 * looked at; other blocks, and text between blocks, are passed over) into `list`, which begins
 * empty, in the order in which they stand.
 * `name` is what messages call the source: a path, or "the certificate data".
 * PORTLS_OK with at least one; PORTLS_BAD_CERTIFICATE (empty; none in it; a block without its end;
 * base64 that breaks off; a block whose DER is not one whole SEQUENCE of three parts), with the
 * number of the block; PORTLS_NO_MEMORY. On failure the list is empty.
 */
portls_status pem_certificates(const void *bytes, size_t size, const char *name,
                               struct certificate_list *list, portls_error *error);

/* A private key in DER, from memory_allocate; wiped by private_key_clear. */
struct private_key {
    uint8_t *bytes;
    size_t size;
    enum backend_key_format format;
};

void private_key_clear(struct private_key *key);

/*
 * Finds the key (manual: ssl-load-private-key!): with PORTLS_PEM the first key block, of kind
 * PORTLS_KEY_RSA the first that is an RSA key, others being skipped; with PORTLS_ASN1 all the bytes
 * are one DER key in PKCS#1, SEC1 or PKCS#8. RSASSA-PSS counts as RSA.
 * PORTLS_OK; PORTLS_BAD_KEY (none; none of that kind, naming the kinds that were found; base64 or
 * DER not whole; a SEC1 key without its curve); PORTLS_KEY_ENCRYPTED (the key that would be taken,
 * or one whose kind cannot be told, is encrypted: the message gives the openssl command that
 * decrypts it); PORTLS_NO_MEMORY. Intermediate copies are wiped.
 */
portls_status pem_private_key(const void *bytes, size_t size, const char *name,
                              portls_key_kind kind, portls_encoding encoding,
                              struct private_key *key, portls_error *error);

#endif
