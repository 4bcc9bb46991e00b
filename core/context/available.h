/* The one backend of this build, linked in or loaded on first use. */
#ifndef CORE_CONTEXT_AVAILABLE_H
#define CORE_CONTEXT_AVAILABLE_H

#include "backends/backend.h"

/* The backend, initialised; NULL and PORTLS_UNAVAILABLE in `error` when it cannot be had. */
const struct backend *available_backend(portls_error *error);

#endif
