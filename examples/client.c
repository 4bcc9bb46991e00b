/* Says hello to a TLS server that the system's trusted roots vouch for, and prints the
   beginning of its answer. */
#include <portls/portls.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    portls_context *secure = portls_protocol_context(PORTLS_CLIENT, PORTLS_SECURE);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error = {.message = "usage: client HOST PORT"};
    char answer[1000];
    size_t got = 0;
    if (argc != 3 ||
        portls_connect(argv[1], (int)strtol(argv[2], NULL, 10), secure, &in, &out, &error) ||
        portls_write(out, "hello\n", 6, NULL, &error) ||
        portls_read(in, answer, sizeof answer, &got, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf("%.*s", (int)got, answer);
    return portls_close_output_port(out, &error) || portls_close_input_port(in, &error);
}
