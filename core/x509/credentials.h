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

/* Truncates the list to its first `count` certificates. */
void certificate_list_shorten(struct certificate_list *list, size_t count);

/* Makes room for `more` certificates. Returns false without memory. */
bool certificate_list_reserve(struct certificate_list *list, size_t more);

/* Appends copies of all of `more`. Returns PORTLS_OK, or PORTLS_NO_MEMORY with nothing appended. */
portls_status certificate_list_append(struct certificate_list *list,
                                      const struct certificate_list *more, portls_error *error);

/* Moves all of `more` to the end of the list and leaves `more` empty. On failure both stay as they
   were. */
portls_status certificate_list_take(struct certificate_list *list, struct certificate_list *more,
                                    portls_error *error);

/*
 * Decodes every certificate of a PEM text into `list`, which is empty before, in their order. Reads
 * CERTIFICATE, X509 CERTIFICATE and TRUSTED CERTIFICATE blocks, and skips other blocks and text
 * between blocks. `name` is the source in messages: a path, or "the certificate data". Returns
 * PORTLS_OK with at least one; PORTLS_BAD_CERTIFICATE with the number of the block (empty text; no
 * certificate; a block without its end; truncated base64; DER that is not one whole SEQUENCE of
 * three parts); PORTLS_NO_MEMORY. On failure the list is empty.
 */
portls_status pem_certificates(const void *bytes, size_t size, const char *name,
                               struct certificate_list *list, portls_error *error);

/*
 * Decodes the certificates of a PEM text as pem_certificates does, but skips malformed blocks and
 * TRUSTED CERTIFICATE blocks, which can name purposes to distrust, and adds their number to
 * `*skipped`. Returns PORTLS_OK with at least one; PORTLS_BAD_CERTIFICATE with none;
 * PORTLS_NO_MEMORY.
 */
portls_status pem_usable_certificates(const void *bytes, size_t size, const char *name,
                                      struct certificate_list *list, size_t *skipped,
                                      portls_error *error);

/* A private key in DER, from memory_allocate; wiped by private_key_clear. */
struct private_key {
    uint8_t *bytes;
    size_t size;
    enum backend_key_format format;
};

void private_key_clear(struct private_key *key);

/* Copies a key, which may be absent, to one that is. PORTLS_OK or PORTLS_NO_MEMORY. */
portls_status private_key_copy(struct private_key *key, const struct private_key *from,
                               portls_error *error);

/*
 * Finds the private key (manual: ssl-load-private-key!). With PORTLS_PEM it is the first key block;
 * with PORTLS_KEY_RSA the first RSA key, other keys are skipped. With PORTLS_ASN1 all the bytes are
 * one DER key in PKCS#1, SEC1 or PKCS#8. RSASSA-PSS counts as RSA. Returns PORTLS_OK;
 * PORTLS_BAD_KEY (no key; none of that kind, naming the kinds found; truncated base64 or DER; a
 * SEC1 key without its curve); PORTLS_KEY_ENCRYPTED (the key, or one of unknown kind, is encrypted:
 * the message gives the openssl command that decrypts it); PORTLS_NO_MEMORY. Wipes intermediate
 * copies.
 */
portls_status pem_private_key(const void *bytes, size_t size, const char *name,
                              portls_key_kind kind, portls_encoding encoding,
                              struct private_key *key, portls_error *error);

/* ---- the system's trusted roots (trust.c) ---- */

/*
 * Loads the system's roots into `list`, which is empty before: from the file and the directories
 * that SSL_CERT_FILE and SSL_CERT_DIR name, else from the system's store or the first bundle of
 * os_root_bundles that exists. Skips files without certificates in a directory; skips malformed
 * certificates and adds their number to `*skipped`. Returns PORTLS_OK with at least one root;
 * PORTLS_FILE naming the paths; PORTLS_BAD_CERTIFICATE (a file without a usable certificate);
 * PORTLS_NO_MEMORY.
 */
portls_status trust_load_system(struct certificate_list *list, size_t *skipped,
                                portls_error *error);

/* Loads the roots of a directory, as trust_load_system does. Hosted builds only. */
portls_status trust_load_directory(struct certificate_list *list, const char *path, size_t *skipped,
                                   portls_error *error);

#endif
