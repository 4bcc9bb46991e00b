/* Waiting for the first of many things (Scheme's sync): listeners, input ports, output ports. */
#include "portls/sync.h"

#include "core/wait/clock.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/handle.h"
#include "core/sync/sync_source.h"

/* Whether the event's source may be waited for. */
static portls_status check_source(const void *source, size_t place, portls_error *error) {
    if (sync_source_check(source, "", NULL) == PORTLS_OK) {
        return PORTLS_OK;
    }
    char name[48];
    (void)format_text(name, sizeof name, "events[%zu].source", place);
    return sync_source_check(source, name, error);
}

static portls_status check_arguments(portls_event *events, size_t count, portls_deadline deadline,
                                     const portls_break *brk, portls_error *error) {
    if (events == NULL && count > 0) {
        (void)error_fail(error, PORTLS_INVALID_ARGUMENT,
                         "events is NULL, and should point to %zu events", count);
        return PORTLS_INVALID_ARGUMENT;
    }
    if (brk != NULL && !handle_is(brk, HANDLE_BREAK)) {
        return error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    }
    if (count == 0 && brk == NULL && deadline == PORTLS_NO_DEADLINE) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "there is no event, no deadline and no break, so the wait would never "
                          "end");
    }
    for (size_t i = 0; i < count; i++) {
        portls_status status = check_source(events[i].source, i, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    return PORTLS_OK;
}

/* Marks what is ready; whether anything is. */
static bool look(portls_event *events, size_t count) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        events[i].ready = sync_source_ready(events[i].source);
        any = any || events[i].ready;
    }
    return any;
}

static portls_status wait_for_any(portls_event *events, size_t count,
                                  const struct wait_limit *limit, portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    for (size_t i = 0; i < count; i++) {
        sync_source_begin_wait(events[i].source, &set);
    }
    portls_status status = wait_set_wait(&set, limit, error);
    wait_set_destroy(&set);
    for (size_t i = 0; i < count; i++) {
        sync_source_end_wait(events[i].source);
    }
    return status;
}

portls_status portls_sync(portls_event *events, size_t count, portls_deadline deadline,
                          portls_break *brk, portls_error *error) {
    error_begin(error);
    for (size_t i = 0; events != NULL && i < count; i++) {
        events[i].ready = false;
    }
    portls_status status = check_arguments(events, count, deadline, brk, error);
    if (status == PORTLS_OK && portls_break_is_set(brk)) {
        /* Else a source that is always ready would keep the break from being seen. */
        return error_fail(error, PORTLS_BREAK, "the break is set, so the wait was given up");
    }
    struct wait_limit limit = {deadline, brk};
    bool late = false;
    while (status == PORTLS_OK && !look(events, count)) {
        if (late) {
            /* Something moves all the time, and yet nothing gets ready. */
            return error_fail(error, PORTLS_DEADLINE, "the deadline passed while waiting");
        }
        status = wait_for_any(events, count, &limit, error);
        late = deadline != PORTLS_NO_DEADLINE && deadline <= clock_now();
    }
    return status;
}
