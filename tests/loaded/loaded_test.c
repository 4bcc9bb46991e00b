/*
 * A program over a loaded backend (manual: ssl-available?, ssl-load-fail-reason). With the argument
 * "there" it expects TLS to work; with "missing" and the name of a file, that the library says that
 * this file is what it could not load, and that every call that needs TLS says PORTLS_UNAVAILABLE.
 */
#include <portls/portls.h>
#include <stdio.h>
#include <string.h>

static int failures;

static void expect(bool holds, const char *what) {
    if (!holds) {
        failures++;
        (void)printf("not so: %s\n", what);
    }
}

static void expect_unavailable(portls_status status, const portls_error *error, const char *call) {
    if (status != PORTLS_UNAVAILABLE || error->status != PORTLS_UNAVAILABLE ||
        strcmp(error->message, portls_load_fail_reason()) != 0) {
        failures++;
        (void)printf("%s returned %s: %s\n", call, portls_status_name(status), error->message);
    }
}

static void expect_missing(const char *file) {
    portls_error error;
    portls_context *context = NULL;
    portls_listener *listener = NULL;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_input_port *ssl_in = NULL;
    portls_output_port *ssl_out = NULL;

    expect(!portls_available(), "portls_available() is false");
    const char *reason = portls_load_fail_reason();
    expect(reason != NULL && strstr(reason, file) != NULL, "the reason names the missing file");
    (void)printf("reason: %s\n", reason != NULL ? reason : "none");
    if (reason == NULL) {
        return;
    }
    expect(portls_backend_version()[0] == '\0', "the backend has no version");
    expect(portls_capabilities() == 0, "the backend has no capabilities");
    expect_unavailable(portls_make_client_context(PORTLS_AUTO, &context, &error), &error,
                       "portls_make_client_context");
    expect_unavailable(portls_make_server_context(PORTLS_AUTO, &context, &error), &error,
                       "portls_make_server_context");
    portls_context *client = portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE);
    portls_context *server = portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO);
    expect(client != NULL && server != NULL, "protocol contexts are never NULL");
    expect_unavailable(portls_connect("127.0.0.1", 1, client, &in, &out, &error), &error,
                       "portls_connect");
    expect_unavailable(portls_listen(0, 1, true, "127.0.0.1", server, &listener, &error), &error,
                       "portls_listen");
    expect(portls_make_pipe(10, &in, &out, &error) == PORTLS_OK, "plain ports need no TLS");
    expect_unavailable(portls_wrap_ports(in, out, NULL, &ssl_in, &ssl_out, &error), &error,
                       "portls_wrap_ports");
    size_t put = 0;
    expect(portls_write_avail(out, "plain", 5, &put, &error) == PORTLS_OK && put == 5,
           "the ports are the caller's as before");
    expect(portls_close_output_port(out, &error) == PORTLS_OK, "the output port closes");
    expect(portls_close_input_port(in, &error) == PORTLS_OK, "the input port closes");
}

static void expect_there(void) {
    portls_error error;
    portls_context *context = NULL;
    expect(portls_available(), "portls_available() is true");
    expect(portls_load_fail_reason() == NULL, "there is no reason");
    expect(portls_backend_version()[0] != '\0', "the backend has a version");
    expect(portls_make_client_context(PORTLS_AUTO, &context, &error) == PORTLS_OK,
           "a context can be made");
    portls_free_context(context);
}

int main(int count, char **arguments) {
    if (count == 3 && strcmp(arguments[1], "missing") == 0) {
        expect_missing(arguments[2]);
    } else if (count == 2 && strcmp(arguments[1], "there") == 0) {
        expect_there();
    } else {
        (void)fprintf(stderr, "usage: loaded_test there | missing FILE\n");
        return 2;
    }
    return failures == 0 ? 0 : 1;
}
