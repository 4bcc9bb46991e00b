/* What can be waited for: listeners, input ports and output ports, under one name. */
#ifndef CORE_SYNC_SYNC_SOURCE_H
#define CORE_SYNC_SYNC_SOURCE_H

#include <stdbool.h>

#include "core/wait/wait.h"
#include "portls/error.h"

/* Whether it may be waited for: PORTLS_OK; WRONG_KIND; CLOSED; IN_USE (wrapped). `name` is what the
   message calls it. */
portls_status sync_source_check(const void *source, const char *name, portls_error *error);

/* Whether accept, read or write would not have to wait. Moves on what can be moved on. */
bool sync_source_ready(void *source);

/* What has to happen before it can be ready; each call is followed by one of end_wait, after the
   wait and after the set is destroyed, unless the set only asks. */
void sync_source_begin_wait(void *source, struct wait_set *set);
void sync_source_end_wait(void *source);

#endif
