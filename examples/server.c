/* Sends back what each TLS client says; one PEM file holds the server's certificate and key. */
#include <portls/portls.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    portls_listener *listener = NULL;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error = {.message = "usage: server PORT PEM-FILE"};
    if (argc == 3 && !portls_listen_secure((int)strtol(argv[1], NULL, 10), "localhost", argv[2],
                                           argv[2], &listener, &error)) {
        while (!portls_accept(listener, &in, &out, &error)) {
            if (portls_copy(in, out, &error)) {
                fprintf(stderr, "a connection failed: %s\n", error.message);
            }
            /* Closes both in the background: a client that reads nothing delays no other. */
            portls_listener_linger(listener, in, out, NULL);
        }
    }
    fprintf(stderr, "%s\n", error.message);
    return 1;
}
