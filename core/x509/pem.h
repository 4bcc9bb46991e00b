/* Walking through the blocks of a PEM text (RFC 7468) and decoding what is in them. */
#ifndef CORE_X509_PEM_H
#define CORE_X509_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "portls/error.h"

struct pem_reader {
    const char *text;
    size_t size, at;
    size_t line;           /* the number of the line at `at`, from 1 */
    const char *name;      /* what messages call the text */
    portls_status failure; /* what a mistake in the text is to the caller */
};

/* One block. It points into the text. */
struct pem_block {
    const char *label; /* what stands behind BEGIN: printable ASCII, not terminated */
    size_t label_size;
    size_t line;      /* of its BEGIN */
    const char *body; /* the base64, with its line ends, behind the headers */
    size_t body_size;
    size_t body_line;
    bool encrypted; /* a header says "Proc-Type: 4,ENCRYPTED" */
};

/* Begins at the start of a text, behind a byte order mark. */
void pem_reader_init(struct pem_reader *reader, const void *bytes, size_t size, const char *name,
                     portls_status failure);

/*
 * Finds the next block; what stands between blocks is passed over. Lines may end in LF, CR LF or
 * CR, and have white space on either side. PORTLS_OK; PORTLS_EOF when there is none any more;
 * `failure` for a line that begins a block and does not end in dashes, for a block without its own
 * END line, and for an END line without a block, naming the line.
 */
portls_status pem_reader_next(struct pem_reader *reader, struct pem_block *block,
                              portls_error *error);

bool pem_block_is(const struct pem_block *block, const char *label);

/* Whether the label is one of the three that certificates have. */
bool pem_block_is_certificate(const struct pem_block *block);

/*
 * Decodes the base64 of a block into memory from memory_allocate that has no byte behind `*size`
 * written. PORTLS_OK with at least one byte; `failure` (nothing in it; no base64; it breaks off;
 * more than about `limit` bytes), naming block and line; PORTLS_NO_MEMORY. On failure nothing is
 * left behind.
 */
portls_status pem_block_decode(const struct pem_reader *reader, const struct pem_block *block,
                               size_t limit, uint8_t **bytes, size_t *size, portls_error *error);

/* Whether a BEGIN line of a certificate is in a text, whatever comes behind it. */
bool pem_has_certificate(const void *bytes, size_t size);

/* Whether bytes that should be PEM are DER: one whole SEQUENCE. */
bool pem_is_der(const void *bytes, size_t size);

/* Whether bytes that should be DER are PEM: a BEGIN line is in them. */
bool pem_is_pem(const void *bytes, size_t size);

#endif
