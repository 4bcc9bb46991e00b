/* Waits for the first of several sources, as Scheme's sync does. */
#include "core/sync/sync.h"

#include "core/base/error.h"
#include "core/base/format.h"
#include "core/base/handle.h"
#include "core/net/listener.h"
#include "core/port/port.h"
#include "core/wait/wait.h"
#include "portls/sync.h"

/* ---- sources ---- */

portls_status sync_source_check(const void *source, const char *name, portls_error *error) {
    portls_status status = PORTLS_OK;
    const char *kind = "input";
    if (handle_is(source, HANDLE_LISTENER)) {
        return PORTLS_OK;
    }
    if (handle_is(source, HANDLE_INPUT_PORT)) {
        status = input_port_check(source, NULL);
    } else if (handle_is(source, HANDLE_OUTPUT_PORT)) {
        status = output_port_check(source, NULL);
        kind = "output";
    } else {
        return error_fail(error, PORTLS_WRONG_KIND,
                          "%s is %s, and should be a listener, an input port or an output port",
                          name, source == NULL ? "NULL" : "a handle of another kind");
    }
    if (status != PORTLS_OK) {
        return error_fail(error, status, "%s is an %s port that is %s", name, kind,
                          status == PORTLS_CLOSED ? "closed" : "wrapped by an SSL stream");
    }
    return PORTLS_OK;
}

bool sync_source_ready(void *source) {
    if (handle_is(source, HANDLE_LISTENER)) {
        return listener_ready(source);
    }
    if (handle_is(source, HANDLE_INPUT_PORT)) {
        return portls_byte_ready(source);
    }
    portls_output_port *out = source;
    return out->class->room_ready(out);
}

void sync_source_begin_wait(void *source, struct wait_set *set) {
    if (handle_is(source, HANDLE_LISTENER)) {
        listener_begin_wait(source, set);
    } else if (handle_is(source, HANDLE_INPUT_PORT)) {
        input_port_begin_wait(source, set);
    } else {
        output_port_begin_wait(source, set);
    }
}

void sync_source_end_wait(void *source) {
    if (handle_is(source, HANDLE_INPUT_PORT)) {
        input_port_end_wait(source);
    } else if (handle_is(source, HANDLE_OUTPUT_PORT)) {
        output_port_end_wait(source);
    }
}

/* ---- portls_sync ---- */

static portls_status check_source(const void *source, size_t place, portls_error *error) {
    if (sync_source_check(source, "", NULL) == PORTLS_OK) {
        return PORTLS_OK;
    }
    char name[48];
    (void)format_text(name, sizeof name, "events[%zu].source", place);
    return sync_source_check(source, name, error);
}

static portls_status check_arguments(portls_event *events, size_t count, int64_t deadline,
                                     const portls_break *brk, portls_error *error) {
    if (events == NULL && count > 0) {
        (void)error_fail(error, PORTLS_INVALID_ARGUMENT,
                         "events is NULL, and should point to %zu events", count);
        return PORTLS_INVALID_ARGUMENT;
    }
    if (brk != NULL && !handle_is(brk, HANDLE_BREAK)) {
        return error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    }
    if (count == 0 && brk == NULL && deadline == NO_DEADLINE) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "there is no event, no deadline and no break, so the wait would never "
                          "end");
    }
    for (size_t i = 0; i < count; i++) {
        portls_status status = check_source(events[i].source.handle, i, error);
        if (status != PORTLS_OK) {
            return status;
        }
    }
    return PORTLS_OK;
}

/* Marks the sources that are ready; returns whether there is one. */
static bool check_ready(portls_event *events, size_t count) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        events[i].ready = sync_source_ready(events[i].source.handle);
        any = any || events[i].ready;
    }
    return any;
}

/* Waits until a source may be ready. The wait set does not stay on the stack while the sources are
   looked at. */
static __attribute__((noinline)) portls_status wait_for_any(portls_event *events, size_t count,
                                                            const struct wait_limit *limit,
                                                            portls_error *error) {
    struct wait_set set;
    wait_set_init(&set);
    for (size_t i = 0; i < count; i++) {
        sync_source_begin_wait(events[i].source.handle, &set);
    }
    portls_status status = wait_set_wait(&set, limit, error);
    wait_set_destroy(&set);
    for (size_t i = 0; i < count; i++) {
        sync_source_end_wait(events[i].source.handle);
    }
    return status;
}

portls_status portls_sync(portls_event *events, size_t count, portls_deadline deadline,
                          portls_break *brk, portls_error *error) {
    error_begin(error);
    for (size_t i = 0; events != NULL && i < count; i++) {
        events[i].ready = false;
    }
    portls_status status = check_arguments(events, count, deadline.nanoseconds, brk, error);
    if (status == PORTLS_OK) {
        status = break_check(brk, error); /* a source that is always ready must not hide it */
    }
    struct wait_limit limit = {deadline.nanoseconds, brk};
    while (status == PORTLS_OK && !check_ready(events, count)) {
        status = wait_for_any(events, count, &limit, error);
    }
    return status;
}
