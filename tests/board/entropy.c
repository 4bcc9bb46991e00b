/* A board whose generator fails: a session is not made, and the status says why. */
#include <stdio.h>
#include <stdlib.h>

#include <portls/portls.h>

int __wrap_board_random(unsigned char *bytes, unsigned size);

int __wrap_board_random(unsigned char *bytes, unsigned size) {
    (void)bytes;
    (void)size;
    return -1;
}

static void need(portls_status status, const char *what) {
    if (status != PORTLS_OK) {
        printf("%s: status %d\n", what, (int)status);
        exit(EXIT_FAILURE);
    }
}

int main(void) {
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    portls_context *context = NULL;
    portls_input_port *in = NULL, *unused_in = NULL, *ssl_in = NULL;
    portls_output_port *out = NULL, *unused_out = NULL, *ssl_out = NULL;
    portls_error error;
    need(portls_make_client_context(PORTLS_AUTO, &context, NULL), "a context");
    need(portls_make_pipe(1024, &in, &unused_out, NULL), "a pipe");
    need(portls_make_pipe(1024, &unused_in, &out, NULL), "a pipe");
    options.mode = PORTLS_MODE_CONNECT;
    options.context = context;
    options.hostname = "localhost";
    portls_status status = portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, &error);
    printf("status %d, code %d: %s\n", (int)status, (int)error.backend_code, error.message);
    return status == PORTLS_OS && error.status == PORTLS_OS && error.backend_code != 0
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
