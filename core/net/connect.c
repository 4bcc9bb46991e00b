/* Connects (manual, section 1: ssl-connect). */
#include "core/net/connecting.h"
#include "core/context/context.h"
#include "core/base/error.h"
#include "core/x509/hostname.h"
#include "core/stream/stream.h"
#include "portls/tcp.h"

enum { PORT_NUMBER_MAX = 65535 };

/* The arguments of a call. */
struct request {
    const char *host; /* or the path of a Unix socket */
    int port_no;      /* 0 for a path */
    bool is_path;
    const char *hostname; /* to be verified and sent as SNI; may be NULL for a path */
    portls_context *context;
    bool shutdown_on_close;
    struct wait_limit limit;
    portls_input_port **in;
    portls_output_port **out;
};

static portls_status check_host(const struct request *request, portls_error *error) {
    if (request->host == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the host is NULL");
    }
    if (request->port_no < 1 || request->port_no > PORT_NUMBER_MAX) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "port number %d is out of range: it must be 1 to 65535",
                          request->port_no);
    }
    return PORTLS_OK;
}

static portls_status check_path(const struct request *request, portls_error *error) {
    if (request->host == NULL || request->host[0] == '\0') {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the path of the socket is %s",
                          request->host == NULL ? "NULL" : "empty");
    }
    return PORTLS_OK;
}

static portls_status check(const struct request *request, portls_error *error) {
    char normal[HOSTNAME_MAX + 1];
    if (request->in == NULL || request->out == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for a port is NULL");
    }
    portls_status status =
        request->is_path ? check_path(request, error) : check_host(request, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (request->limit.brk != NULL && !handle_is(request->limit.brk, HANDLE_BREAK)) {
        return error_fail(error, PORTLS_WRONG_KIND, "brk is no live break");
    }
    return request->hostname == NULL ? PORTLS_OK
                                     : hostname_normalise(request->hostname, normal, error);
}

/* Creates a stream that owns ports which are being connected. */
static portls_status begin_with(const struct request *request, struct snapshot *snapshot,
                                struct stream **stream, portls_error *error) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    /* The host is not normalised for the resolver: it may have a zone. */
    portls_status status = connecting_ports(request->host, request->port_no, &in, &out, error);
    if (status != PORTLS_OK) {
        return status;
    }
    const portls_wrap_options asked = {.hostname = request->hostname,
                                       .close_original = true,
                                       .shutdown_on_close = request->shutdown_on_close};
    struct stream_options options = {.snapshot = snapshot, .asked = &asked, .network = true};
    status = stream_new(in, out, &options, stream, error);
    if (status != PORTLS_OK) {
        ports_drop(in, out);
    }
    return status;
}

static portls_status begin(const struct request *request, struct stream **stream,
                           portls_error *error) {
    error_begin(error);
    if (request->in != NULL) {
        *request->in = NULL;
    }
    if (request->out != NULL) {
        *request->out = NULL;
    }
    struct snapshot *snapshot = NULL;
    portls_status status = check(request, error);
    if (status == PORTLS_OK) {
        status = context_snapshot(request->context, PORTLS_CLIENT, &snapshot, error);
    }
    if (status == PORTLS_OK) {
        status = begin_with(request, snapshot, stream, error);
    }
    snapshot_release(snapshot);
    return status;
}

/* Stores the ports, or makes the error one of the network (manual, section 3). */
static portls_status finish(const struct request *request, struct stream *stream,
                            portls_status status, portls_error *error) {
    if (status == PORTLS_OK) {
        *request->in = &stream->in;
        *request->out = &stream->out;
    } else if (error != NULL) {
        error->error_class = PORTLS_CLASS_NETWORK;
    }
    return status;
}

static portls_status connect_and_wait(const struct request *request, portls_error *error) {
    struct stream *stream = NULL;
    portls_status status = begin(request, &stream, error);
    if (status == PORTLS_OK) {
        status = stream_handshake(stream, &request->limit, error);
        if (status != PORTLS_OK) {
            bool gave_up = status == PORTLS_DEADLINE || status == PORTLS_BREAK;
            connecting_ports_limit_linger(stream->transport.in,
                                          gave_up ? 0 : request->limit.deadline);
            stream_abandon(stream, true);
        }
    }
    return finish(request, stream, status, error);
}

static struct request tcp_request(const char *host, int port_no, portls_context *context,
                                  portls_input_port **in, portls_output_port **out) {
    return (struct request){.host = host,
                            .port_no = port_no,
                            .hostname = host,
                            .context = context,
                            .limit = WAIT_FOREVER,
                            .in = in,
                            .out = out};
}

static struct request path_request(const char *path, const char *hostname, portls_context *context,
                                   portls_input_port **in, portls_output_port **out) {
    return (struct request){.host = path,
                            .is_path = true,
                            .hostname = hostname,
                            .context = context,
                            .limit = WAIT_FOREVER,
                            .in = in,
                            .out = out};
}

static portls_status begin_only(const struct request *request, portls_error *error) {
    struct stream *stream = NULL;
    portls_status status = begin(request, &stream, error);
    return finish(request, stream, status, error);
}

portls_status portls_connect(const char *host, int port_no, portls_context *context,
                             portls_input_port **in, portls_output_port **out,
                             portls_error *error) {
    const struct request request = tcp_request(host, port_no, context, in, out);
    return connect_and_wait(&request, error);
}

portls_status portls_connect_secure(const char *host, int port_no, portls_input_port **in,
                                    portls_output_port **out, portls_error *error) {
    struct request request =
        tcp_request(host, port_no, portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE), in, out);
    request.shutdown_on_close = true;
    return connect_and_wait(&request, error);
}

portls_status portls_connect_enable_break(const char *host, int port_no, portls_context *context,
                                          portls_break *brk, portls_input_port **in,
                                          portls_output_port **out, portls_error *error) {
    return portls_connect_until(host, port_no, context, PORTLS_NO_DEADLINE, brk, in, out, error);
}

portls_status portls_connect_until(const char *host, int port_no, portls_context *context,
                                   portls_deadline deadline, portls_break *brk,
                                   portls_input_port **in, portls_output_port **out,
                                   portls_error *error) {
    struct request request = tcp_request(host, port_no, context, in, out);
    request.limit = (struct wait_limit){deadline.nanoseconds, brk};
    return connect_and_wait(&request, error);
}

portls_status portls_connect_avail(const char *host, int port_no, portls_context *context,
                                   portls_input_port **in, portls_output_port **out,
                                   portls_error *error) {
    const struct request request = tcp_request(host, port_no, context, in, out);
    return begin_only(&request, error);
}

portls_status portls_connect_path(const char *path, const char *hostname_or_null,
                                  portls_context *context, portls_deadline deadline,
                                  portls_break *brk, portls_input_port **in,
                                  portls_output_port **out, portls_error *error) {
    struct request request = path_request(path, hostname_or_null, context, in, out);
    request.limit = (struct wait_limit){deadline.nanoseconds, brk};
    return connect_and_wait(&request, error);
}

portls_status portls_connect_path_avail(const char *path, const char *hostname_or_null,
                                        portls_context *context, portls_input_port **in,
                                        portls_output_port **out, portls_error *error) {
    const struct request request = path_request(path, hostname_or_null, context, in, out);
    return begin_only(&request, error);
}
