/* The one backend of this build, linked in or loaded on first use. */
#ifndef CORE_CONTEXT_AVAILABLE_H
#define CORE_CONTEXT_AVAILABLE_H

#include "backends/backend.h"

/* Returns the initialised backend, or NULL with PORTLS_UNAVAILABLE in `error`. */
const struct backend *available_backend(portls_error *error);

#endif
