/* Sends back what each TLS client says; one PEM file holds the server's certificate and key. */
#include <portls/portls.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    portls_listener *listener = NULL;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error = {.message = "usage: server PORT PEM-FILE"};
    char bytes[4096];
    size_t got = 0;
    if (argc != 3 ||
        portls_listen((int)strtol(argv[1], NULL, 10), 5, true, "localhost",
                      portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener, &error) ||
        portls_load_identity(portls_listener_context(listener), argv[2], argv[2], &error)) {
        fprintf(stderr, "%s\n", error.message);
        portls_close(listener);
        return 1;
    }
    for (;;) {
        portls_status status = portls_accept(listener, &in, &out, &error);
        while (!status && !(status = portls_read(in, bytes, sizeof bytes, &got, &error))) {
            status = portls_write(out, bytes, got, NULL, &error);
        }
        bool good = portls_close_output_port(out, NULL) == PORTLS_OK && status == PORTLS_EOF;
        good = portls_close_input_port(in, NULL) == PORTLS_OK && good;
        printf("a connection ended %s\n", good ? "well" : error.message);
    }
}
