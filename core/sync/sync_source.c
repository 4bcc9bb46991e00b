/* Listeners, input ports and output ports, as those see them who wait for any of them. */
#include "core/sync/sync_source.h"

#include "core/base/error.h"
#include "core/net/listener.h"
#include "core/port/port.h"

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
    if (handle_is(source, HANDLE_LISTENER)) {
        listener_end_wait(source);
    } else if (handle_is(source, HANDLE_INPUT_PORT)) {
        input_port_end_wait(source);
    } else {
        output_port_end_wait(source);
    }
}
