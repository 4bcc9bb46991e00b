/* Reads the blocks of a PEM text (RFC 7468) and decodes them. */
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
    portls_status failure; /* the status for malformed text */
};

/* One block. It points into the text. */
struct pem_block {
    const char *label; /* the text after BEGIN: printable ASCII, not terminated */
    size_t label_size;
    size_t line;      /* of its BEGIN line */
    const char *body; /* the base64 after the headers, with its line ends */
    size_t body_size;
    size_t body_line;
    bool encrypted; /* a header says "Proc-Type: 4,ENCRYPTED" */
};

/* Starts at the beginning of a text, after a byte order mark. */
void pem_reader_init(struct pem_reader *reader, const void *bytes, size_t size, const char *name,
                     portls_status failure);

/*
 * Finds the next block and skips text before it. Lines may end in LF, CR LF or CR, and be
 * surrounded by white space. Returns PORTLS_OK; PORTLS_EOF when there are no more blocks;
 * `failure`, naming the line, for a BEGIN line that does not end in dashes, a block without its END
 * line, and an END line without a block.
 */
portls_status pem_reader_next(struct pem_reader *reader, struct pem_block *block,
                              portls_error *error);

bool pem_block_is(const struct pem_block *block, const char *label);

/* Whether the label is one of the three labels of certificates. */
bool pem_block_is_certificate(const struct pem_block *block);

/*
 * Decodes the base64 of a block into memory from memory_allocate, which the caller wipes and frees.
 * Writes no byte after `*size`. Returns PORTLS_OK with at least one byte; `failure`, naming block
 * and line (empty; not base64; truncated; more than about `limit` bytes); PORTLS_NO_MEMORY. On
 * failure nothing is allocated.
 */
portls_status pem_block_decode(const struct pem_reader *reader, const struct pem_block *block,
                               size_t limit, uint8_t **bytes, size_t *size, portls_error *error);

/* Whether a text has the BEGIN line of a certificate. */
bool pem_has_certificate(const void *bytes, size_t size);

/* Whether bytes that should be PEM are DER: one whole SEQUENCE. */
bool pem_is_der(const void *bytes, size_t size);

/* Whether bytes that should be DER are PEM: a BEGIN line is in them. */
bool pem_is_pem(const void *bytes, size_t size);

#endif
