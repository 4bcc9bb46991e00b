/*
 * The generated part of the verification table: rows that certs/make-table.py writes, with their
 * chains, into the folder of the test certificates. certs/table/ has them by subject.
 */
#ifndef VERIFY_ROWS_H
#define VERIFY_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/error.h"

struct verify_generated {
    const char *what;
    const char *by;     /* what says so: a standard, or openssl verify */
    const char *number; /* table/<number>.chain.pem, and .roots.pem for the verifier */
    const char *key;    /* table/<key>.key, of the first certificate */
    const char *host;   /* the name that a client asks for; NULL: none */
    bool server_verifies;
    portls_verify_reason outcome; /* PORTLS_VERIFY_OTHER: refused, for any reason */
    const char *libraries;        /* parts of portls_backend_version, with ", " between; or NULL */
    portls_verify_reason its_own; /* their outcome, which is stricter or less exact */
};

extern const struct verify_generated verify_rows[];
extern const size_t verify_rows_size;

#endif
