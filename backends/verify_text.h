/* The texts of verify reasons for the messages of backends, from the one table in the API. */
#ifndef BACKENDS_VERIFY_TEXT_H
#define BACKENDS_VERIFY_TEXT_H

#include "portls/error.h"

/* The same as portls_verify_reason_text, which a backend that is built as a module cannot reach. */
static inline const char *backend_verify_text(portls_verify_reason reason) {
    switch (reason) {
#define BACKEND_VERIFY_CASE(value, name, text)                                                     \
    case PORTLS_VERIFY_##name:                                                                     \
        return (text);
        PORTLS_VERIFY_MAP(BACKEND_VERIFY_CASE)
#undef BACKEND_VERIFY_CASE
    }
    return "the chain was refused";
}

#endif
