/* Wraps any pair of ports in TLS (manual, section 3: ports->ssl-ports). */
#include "portls/wrap.h"

#include "core/context/context.h"
#include "core/base/error.h"
#include "core/base/sized.h"
#include "core/stream/stream.h"

/* Finds the snapshot for the options, and takes a reference. */
static portls_status choose_snapshot(const portls_wrap_options *options, struct snapshot **snapshot,
                                     portls_error *error) {
    if (options->mode != PORTLS_MODE_ACCEPT && options->mode != PORTLS_MODE_CONNECT) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%d is no mode: use PORTLS_MODE_ACCEPT or PORTLS_MODE_CONNECT",
                          (int)options->mode);
    }
    portls_role role = options->mode == PORTLS_MODE_ACCEPT ? PORTLS_SERVER : PORTLS_CLIENT;
    /* The manual makes a fresh context from the protocol: a shared one has the same settings. */
    portls_context *context = options->context;
    portls_status status = PORTLS_OK;
    if (context == NULL) {
        status = protocol_context_make(role, options->protocol, &context, error);
    }
    return status == PORTLS_OK ? context_snapshot(context, role, snapshot, error) : status;
}

portls_status portls_wrap_ports_avail(portls_input_port *in, portls_output_port *out,
                                      const portls_wrap_options *options,
                                      portls_input_port **ssl_in, portls_output_port **ssl_out,
                                      portls_error *error) {
    error_begin(error);
    if (ssl_in != NULL) {
        *ssl_in = NULL;
    }
    if (ssl_out != NULL) {
        *ssl_out = NULL;
    }
    if (ssl_in == NULL || ssl_out == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for an SSL port is NULL");
    }
    portls_wrap_options asked = PORTLS_WRAP_OPTIONS_INIT;
    portls_status status = PORTLS_OK;
    if (options != NULL) {
        status = sized_copy(&asked, sizeof asked, PORTLS_WRAP_OPTIONS_FIRST_SIZE, options,
                            "PORTLS_WRAP_OPTIONS_INIT", error);
    }
    struct snapshot *snapshot = NULL;
    if (status == PORTLS_OK) {
        status = choose_snapshot(&asked, &snapshot, error);
    }
    if (status != PORTLS_OK) {
        return status;
    }
    struct stream_options made = {.snapshot = snapshot, .asked = &asked};
    struct stream *stream = NULL;
    status = stream_new(in, out, &made, &stream, error);
    snapshot_release(snapshot);
    if (status == PORTLS_OK) {
        *ssl_in = &stream->in;
        *ssl_out = &stream->out;
    }
    return status;
}

/* Takes the limit by pointer: a copy would cost a bare target's stack for the whole handshake. */
static portls_status wrap_within(const struct wait_limit *limit, portls_input_port *in,
                                 portls_output_port *out, const portls_wrap_options *options,
                                 portls_input_port **ssl_in, portls_output_port **ssl_out,
                                 portls_error *error) {
    portls_status status = portls_wrap_ports_avail(in, out, options, ssl_in, ssl_out, error);
    if (status != PORTLS_OK) {
        return status;
    }
    struct stream *stream = stream_of(*ssl_in);
    if (limit->brk != NULL && !handle_is(limit->brk, HANDLE_BREAK)) {
        status = error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    } else if (portls_break_is_set(limit->brk)) {
        /* Nothing has been sent yet, and the given ports are as they were. */
        status = error_fail(error, PORTLS_BREAK, "the break is set, so nothing was begun");
    } else {
        status = stream_handshake(stream, limit, error);
    }
    if (status != PORTLS_OK) {
        *ssl_in = NULL;
        *ssl_out = NULL;
        stream_abandon(stream, false);
    }
    return status;
}

portls_status portls_wrap_ports_until(portls_input_port *in, portls_output_port *out,
                                      const portls_wrap_options *options, portls_deadline deadline,
                                      portls_break *brk, portls_input_port **ssl_in,
                                      portls_output_port **ssl_out, portls_error *error) {
    const struct wait_limit limit = {deadline.nanoseconds, brk};
    return wrap_within(&limit, in, out, options, ssl_in, ssl_out, error);
}

portls_status portls_wrap_ports(portls_input_port *in, portls_output_port *out,
                                const portls_wrap_options *options, portls_input_port **ssl_in,
                                portls_output_port **ssl_out, portls_error *error) {
    static const struct wait_limit forever = {NO_DEADLINE, NULL};
    return wrap_within(&forever, in, out, options, ssl_in, ssl_out, error);
}
