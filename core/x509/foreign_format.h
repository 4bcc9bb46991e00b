/* Formats that hold certificates and keys, but are not PEM, and the commands that convert them. */
#ifndef CORE_X509_FOREIGN_FORMAT_H
#define CORE_X509_FOREIGN_FORMAT_H

#include <stddef.h>

struct foreign_format {
    const char *name;
    const char *certificates; /* the command that writes its certificates as PEM */
    const char *key;          /* that writes its private key; NULL: it holds none */
};

/* Returns the format of bytes in which no PEM block was found, or NULL if it is not known.
   In a bare build, always NULL. */
const struct foreign_format *foreign_format_of(const void *bytes, size_t size);

#endif
