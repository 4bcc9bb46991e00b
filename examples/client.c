/* Says hello to a TLS server that the system's trusted roots vouch for, and prints the line that
   it answers. */
#include <portls/portls.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error = {.message = "usage: client HOST PORT"};
    char line[1000];
    int port_no = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
    bool failed = argc != 3 || portls_connect_secure(argv[1], port_no, &in, &out, &error) ||
                  portls_write(out, "hello\n", 6, NULL, &error) ||
                  portls_read_line(in, line, sizeof line, NULL, &error);
    fprintf(failed ? stderr : stdout, "%s\n", failed ? error.message : line);
    return portls_close_ports(in, out, NULL) || failed;
}
