/* A ten-line program against the installed library: is it the one that was asked for? */
#include <stdio.h>
#include <string.h>

#include "portls/portls.h"

int main(int count, char **arguments) {
    portls_context *context = NULL;
    portls_error error;
    if (count != 3 || strcmp(portls_backend_name(), arguments[1]) != 0 ||
        strcmp(portls_version(), arguments[2]) != 0 || !portls_available()) {
        (void)fprintf(stderr, "portls %s over %s: %s\n", portls_version(), portls_backend_name(),
                      portls_available() ? "not what was asked for" : portls_load_fail_reason());
        return 1;
    }
    portls_status status = portls_make_client_context(PORTLS_TLS12, &context, &error);
    portls_free_context(context);
    (void)printf("%s\n", status == PORTLS_OK ? portls_backend_version() : error.message);
    return status == PORTLS_OK ? 0 : 1;
}
