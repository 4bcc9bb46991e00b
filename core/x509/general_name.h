/* The choices of GeneralName (RFC 5280, 4.2.1.6), by tag. */
#ifndef CORE_X509_GENERAL_NAME_H
#define CORE_X509_GENERAL_NAME_H

#include "core/x509/der.h"

enum {
    NAME_OTHER = DER_CONTEXT_CONSTRUCTED(0),
    NAME_EMAIL = DER_CONTEXT(1),
    NAME_DNS = DER_CONTEXT(2),
    NAME_X400 = DER_CONTEXT_CONSTRUCTED(3),
    NAME_DIRECTORY = DER_CONTEXT_CONSTRUCTED(4),
    NAME_EDI_PARTY = DER_CONTEXT_CONSTRUCTED(5),
    NAME_URI = DER_CONTEXT(6),
    NAME_ADDRESS = DER_CONTEXT(7),
    NAME_REGISTERED_ID = DER_CONTEXT(8),
};

/* Returns whether a tag is one of them. */
static inline bool general_name_is_kind(uint8_t tag) {
    unsigned number = tag & 0x1fU;
    unsigned constructed = number <= 8 ? 0x39U >> number & 1 : 0;
    return number <= 8 && tag == (0x80U | constructed << 5 | number);
}

#endif
