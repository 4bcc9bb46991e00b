/* Ports as FILE streams: read, write and close of a FILE over a port. */
#include "portls/stdio.h"

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/os/file.h"
#include "core/port/port.h"

/* The port of one FILE. */
struct stdio_port {
    struct os_stream stream;
    portls_input_port *in;   /* one of the two is NULL; */
    portls_output_port *out; /* both are until the FILE owns its port */
};

/* Translates a status to the errno of the FILE. */
static int answer_of(portls_status status, const portls_error *error) {
    switch (status) {
    case PORTLS_OK:
    case PORTLS_EOF:
        return 0;
    case PORTLS_DEADLINE:
        return OS_STREAM_LATE;
    case PORTLS_BREAK:
        return OS_STREAM_GIVEN_UP;
    case PORTLS_NO_MEMORY:
        return OS_STREAM_NO_MEMORY;
    case PORTLS_CLOSED:
    case PORTLS_WRONG_KIND:
        return OS_STREAM_CLOSED;
    default:
        return error->os_errno > 0 ? error->os_errno : OS_STREAM_FAILED;
    }
}

static int read_port(void *argument, void *buffer, size_t size, size_t *got) {
    struct stdio_port *port = argument;
    portls_error error;
    portls_status status = portls_read(port->in, buffer, size, got, &error);
    return answer_of(status, &error);
}

static int write_port(void *argument, const void *bytes, size_t size, size_t *put) {
    struct stdio_port *port = argument;
    portls_error error;
    portls_status status = portls_write(port->out, bytes, size, put, &error);
    return answer_of(status, &error);
}

static int close_port(void *argument) {
    struct stdio_port *port = argument;
    portls_error error;
    portls_status status = portls_close_ports(port->in, port->out, &error);
    memory_free(port);
    return answer_of(status, &error);
}

static const struct os_stream_calls input_calls = {read_port, NULL, close_port};
static const struct os_stream_calls output_calls = {NULL, write_port, close_port};

/* Opens a FILE that does not own a port yet: `*made` is to own it. */
static portls_status open_stream(const struct os_stream_calls *calls, FILE **file,
                                 struct stdio_port **made, portls_error *error) {
    struct stdio_port *port = memory_zeroed(sizeof *port);
    if (port != NULL) {
        port->stream.calls = calls;
        port->stream.argument = port;
        *file = os_stream_open(&port->stream);
        if (*file != NULL) {
            *made = port;
            return PORTLS_OK;
        }
        memory_free(port);
    }
    return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for a stream of the C library");
}

static portls_status check(const portls_input_port *in, const portls_output_port *out,
                           FILE *const *fin, FILE *const *fout, portls_error *error) {
    if (in == NULL && out == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "both ports are NULL, and a stream needs one");
    }
    if ((in != NULL && fin == NULL) || (out != NULL && fout == NULL)) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "%s is NULL, and should receive the stream",
                          in != NULL && fin == NULL ? "fin" : "fout");
    }
    portls_status status = in != NULL ? input_port_check(in, error) : PORTLS_OK;
    if (status == PORTLS_OK && out != NULL) {
        status = output_port_check(out, error);
    }
    bool has_file = status == PORTLS_OK &&
                    ((in != NULL && in->base.has_file) || (out != NULL && out->base.has_file));
    if (has_file) {
        return error_fail(error, PORTLS_IN_USE, "the port belongs to a FILE already");
    }
    if (status == PORTLS_OK && !os_stream_possible()) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "this system's C library has no streams that are made of functions");
    }
    return status;
}

portls_status portls_fopen_ports(portls_input_port *in, portls_output_port *out, FILE **fin,
                                 FILE **fout, portls_error *error) {
    error_begin(error);
    if (fin != NULL) {
        *fin = NULL;
    }
    if (fout != NULL) {
        *fout = NULL;
    }
    struct stdio_port *input = NULL;
    struct stdio_port *output = NULL;
    FILE *input_file = NULL;
    FILE *output_file = NULL;
    portls_status status = check(in, out, fin, fout, error);
    if (status == PORTLS_OK && in != NULL) {
        status = open_stream(&input_calls, &input_file, &input, error);
    }
    if (status == PORTLS_OK && out != NULL) {
        status = open_stream(&output_calls, &output_file, &output, error);
    }
    if (status != PORTLS_OK) {
        if (input_file != NULL) {
            (void)fclose(input_file); /* it owns no port yet */
        }
        return status;
    }
    if (input != NULL) {
        input->in = in;
        in->base.has_file = true;
    }
    if (output != NULL) {
        output->out = out;
        out->base.has_file = true;
    }
    if (fin != NULL) {
        *fin = input_file;
    }
    if (fout != NULL) {
        *fout = output_file;
    }
    return PORTLS_OK;
}
