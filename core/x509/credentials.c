/* Certificates: lists of them, and finding them in PEM. */
#include "core/x509/credentials.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/os/os.h"
#include "core/x509/der.h"
#include "core/x509/foreign_format.h"
#include "core/x509/pem.h"

/* ---- lists and keys in memory ---- */

void certificate_list_shorten(struct certificate_list *list, size_t count) {
    while (list->count > count) {
        memory_free((void *)list->blobs[--list->count].bytes);
    }
}

void certificate_list_clear(struct certificate_list *list) {
    certificate_list_shorten(list, 0);
    memory_free(list->blobs);
    list->blobs = NULL;
}

bool certificate_list_reserve(struct certificate_list *list, size_t more) {
    if (more > SIZE_MAX / sizeof *list->blobs - list->count) {
        return false;
    }
    struct backend_blob *blobs = memory_resize(list->blobs, (list->count + more) * sizeof *blobs);
    if (blobs == NULL) {
        return false;
    }
    list->blobs = blobs;
    return true;
}

static portls_status fail_room(size_t more, portls_error *error) {
    return error_fail(error, PORTLS_NO_MEMORY, "no memory for %zu more certificates", more);
}

portls_status certificate_list_take(struct certificate_list *list, struct certificate_list *more,
                                    portls_error *error) {
    if (more->count == 0) {
        return PORTLS_OK;
    }
    if (!certificate_list_reserve(list, more->count)) {
        return fail_room(more->count, error);
    }
    memcpy(list->blobs + list->count, more->blobs, more->count * sizeof *more->blobs);
    list->count += more->count;
    more->count = 0;
    return PORTLS_OK;
}

portls_status certificate_list_append(struct certificate_list *list,
                                      const struct certificate_list *more, portls_error *error) {
    if (more->count == 0) {
        return PORTLS_OK;
    }
    bool room = certificate_list_reserve(list, more->count);
    size_t before = list->count;
    for (size_t i = 0; room && i < more->count; i++) {
        uint8_t *copy = memory_allocate(more->blobs[i].size);
        if (copy == NULL) {
            room = false;
            break;
        }
        memcpy(copy, more->blobs[i].bytes, more->blobs[i].size);
        list->blobs[list->count++] = (struct backend_blob){copy, more->blobs[i].size};
    }
    if (room) {
        return PORTLS_OK;
    }
    certificate_list_shorten(list, before);
    return fail_room(more->count, error);
}

void private_key_clear(struct private_key *key) {
    if (key->bytes != NULL) {
        os_wipe(key->bytes, key->size);
        memory_free(key->bytes);
    }
    *key = (struct private_key){NULL, 0, BACKEND_KEY_NONE};
}

portls_status private_key_copy(struct private_key *key, const struct private_key *from,
                               portls_error *error) {
    *key = (struct private_key){NULL, 0, BACKEND_KEY_NONE};
    if (from->format == BACKEND_KEY_NONE) {
        return PORTLS_OK;
    }
    uint8_t *bytes = memory_allocate(from->size);
    if (bytes == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a private key");
    }
    memcpy(bytes, from->bytes, from->size);
    *key = (struct private_key){bytes, from->size, from->format};
    return PORTLS_OK;
}

/* ---- certificates in PEM ---- */

/* Far above any certificate in use; post-quantum ones take tens of kilobytes. */
enum { CERTIFICATE_SIZE_MAX = 256 * 1024, CERTIFICATE_COUNT_MAX = 10000 };

/* Whether the content of a SEQUENCE has the three parts of a certificate: signed part, algorithm,
   signature. */
static bool has_three_parts(struct backend_blob certificate) {
    struct backend_blob to_be_signed;
    struct backend_blob algorithm;
    struct backend_blob signature;
    return der_take(&certificate, DER_SEQUENCE, &to_be_signed) &&
           der_take(&certificate, DER_SEQUENCE, &algorithm) &&
           der_take_last(&certificate, DER_BIT_STRING, &signature);
}

/*
 * OpenSSL appends settings of its own to a TRUSTED CERTIFICATE: purposes to trust and to reject it
 * for, and a name. No backend takes the purposes, and ignoring them could trust more than was
 * meant. So only settings without them are accepted.
 */
static bool has_only_harmless_settings(struct backend_blob settings) {
    struct backend_blob content;
    struct backend_blob part;
    if (!der_take_last(&settings, DER_SEQUENCE, &content)) {
        return false;
    }
    return !der_take(&content, DER_SEQUENCE, &part) &&
           !der_take(&content, DER_CONTEXT_CONSTRUCTED(0), &part);
}

/* Checks the DER of a block and stores the size of the certificate in it. Returns NULL or the
 * fault.
 */
static const char *check_certificate(const struct pem_block *block, const uint8_t *bytes,
                                     size_t *size) {
    struct backend_blob reader = {bytes, *size};
    struct backend_blob certificate;
    if (!der_take(&reader, DER_SEQUENCE, &certificate) || !has_three_parts(certificate)) {
        return "is not the DER of a certificate";
    }
    if (reader.size == 0) {
        return NULL;
    }
    if (!pem_block_is(block, "TRUSTED CERTIFICATE")) {
        return "has more bytes than its certificate";
    }
    if (!has_only_harmless_settings(reader)) {
        return "carries trust settings of OpenSSL, which cannot be kept (openssl x509 -in FILE "
               "-out "
               "FILE drops them)";
    }
    *size -= reader.size;
    return NULL;
}

/* Decodes one block and adds it to the list. */
static portls_status add_block(const struct pem_reader *reader, const struct pem_block *block,
                               struct certificate_list *list, portls_error *error) {
    if (list->count == CERTIFICATE_COUNT_MAX) {
        return error_fail(error, PORTLS_BAD_CERTIFICATE,
                          "%s: more than %d certificates are in it, which is the limit",
                          reader->name, (int)CERTIFICATE_COUNT_MAX);
    }
    uint8_t *bytes = NULL;
    size_t size = 0;
    portls_status status =
        pem_block_decode(reader, block, CERTIFICATE_SIZE_MAX, &bytes, &size, error);
    if (status != PORTLS_OK) {
        return status;
    }
    const char *fault = check_certificate(block, bytes, &size);
    if (fault != NULL) {
        memory_free(bytes);
        return error_fail(error, PORTLS_BAD_CERTIFICATE, "%s: certificate %zu, in line %zu, %s",
                          reader->name, list->count + 1, block->line, fault);
    }
    if (!certificate_list_reserve(list, 1)) {
        memory_free(bytes);
        return error_fail(error, PORTLS_NO_MEMORY, "%s: no memory for its certificates",
                          reader->name);
    }
    list->blobs[list->count++] = (struct backend_blob){bytes, size};
    return PORTLS_OK;
}

/* Explains a text in which no certificate was found. */
static portls_status fail_none(const void *bytes, size_t size, const char *name,
                               portls_error *error) {
    const struct foreign_format *format = foreign_format_of(bytes, size);
    if (format != NULL) {
        return error_fail(
            error, PORTLS_BAD_CERTIFICATE,
            "%s: it is %s, and PEM was expected (%s converts its certificates to PEM)", name,
            format->name, format->certificates);
    }
    if (pem_is_der(bytes, size)) {
        return error_fail(error, PORTLS_BAD_CERTIFICATE,
                          "%s: it is DER (ASN.1), and PEM was expected (openssl x509 -inform DER "
                          "-in FILE -out NEWFILE converts a certificate)",
                          name);
    }
    return error_fail(error, PORTLS_BAD_CERTIFICATE,
                      "%s: %s (a PEM block that begins with -----BEGIN CERTIFICATE----- was "
                      "expected)",
                      name, size == 0 ? "it is empty" : "no certificate in it");
}

/* Goes on behind a block that cannot be used. */
static portls_status skip_block(portls_status status, size_t *skipped, portls_error *error) {
    if (status != PORTLS_BAD_CERTIFICATE || skipped == NULL) {
        return status;
    }
    error_begin(error);
    ++*skipped;
    return PORTLS_OK;
}

/* Decodes the blocks; counts unusable ones in `skipped`, or fails at the first (NULL). PORTLS_EOF
   at the end. */
static portls_status add_blocks(struct pem_reader *reader, struct certificate_list *list,
                                size_t *skipped, portls_error *error) {
    for (;;) {
        struct pem_block block;
        portls_status status = pem_reader_next(reader, &block, error);
        if (status == PORTLS_OK && pem_block_is_certificate(&block)) {
            status = skipped != NULL && pem_block_is(&block, "TRUSTED CERTIFICATE")
                         ? PORTLS_BAD_CERTIFICATE
                         : add_block(reader, &block, list, error);
        }
        status = skip_block(status, skipped, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
}

static portls_status read_certificates(const void *bytes, size_t size, const char *name,
                                       struct certificate_list *list, size_t *skipped,
                                       portls_error *error) {
    *list = (struct certificate_list){NULL, 0};
    struct pem_reader reader;
    pem_reader_init(&reader, bytes, size, name, PORTLS_BAD_CERTIFICATE);
    size_t before = skipped != NULL ? *skipped : 0;
    portls_status status = add_blocks(&reader, list, skipped, error);
    if (status == PORTLS_EOF && list->count > 0) {
        status = PORTLS_OK;
    } else if (status == PORTLS_EOF && skipped != NULL && *skipped > before) {
        status = error_fail(error, PORTLS_BAD_CERTIFICATE,
                            "%s: none of its %zu certificates can be used: they are malformed, or "
                            "TRUSTED CERTIFICATE blocks, and CERTIFICATE blocks are needed",
                            name, *skipped - before);
    } else if (status == PORTLS_EOF) {
        status = fail_none(bytes, size, name, error);
    }
    if (status != PORTLS_OK) {
        certificate_list_clear(list);
    }
    return status;
}

portls_status pem_certificates(const void *bytes, size_t size, const char *name,
                               struct certificate_list *list, portls_error *error) {
    return read_certificates(bytes, size, name, list, NULL, error);
}

portls_status pem_usable_certificates(const void *bytes, size_t size, const char *name,
                                      struct certificate_list *list, size_t *skipped,
                                      portls_error *error) {
    return read_certificates(bytes, size, name, list, skipped, error);
}
