/* Sources: the listeners, input ports and output ports that sync, sync sets and foreign event loops
   wait for. */
#ifndef CORE_SYNC_SYNC_H
#define CORE_SYNC_SYNC_H

#include <stdbool.h>

#include "core/wait/wait.h"
#include "portls/error.h"

/* Checks that a handle is a source: PORTLS_OK; WRONG_KIND; CLOSED; IN_USE (wrapped by a stream).
   Messages call the handle `name`. */
portls_status sync_source_check(const void *source, const char *name, portls_error *error);

/* Returns whether accept, read or write would return without waiting. Does the work that can be
   done without waiting first. */
bool sync_source_ready(void *source);

/* Adds to `set` what the source waits for. Unless the set only asks, each call needs a matching
   sync_source_end_wait, after the wait and after wait_set_destroy. */
void sync_source_begin_wait(void *source, struct wait_set *set);
void sync_source_end_wait(void *source);

#endif
