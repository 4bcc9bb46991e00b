/* The suite on a board without an operating system: see spec_place.h. Files are the debugger's. */
#include "spec_support.h"

#include "spec_place.h"

#include <stdio.h>

#include "board.h"

const char *const place_holds = "bytes of the heap";

static unsigned files;

static void name_file(char *path, size_t size, unsigned number) {
    snprintf(path, size, CERTS("temporary-%u"), number);
}

/* The contexts that stand for protocols are made once and stay, and so does what they are compiled
   to when they are first used. */
static void use_protocol_contexts(void) {
    static const portls_protocol protocols[] = {PORTLS_AUTO, PORTLS_TLS, PORTLS_TLS12,
                                                PORTLS_TLS13};
    for (size_t i = 0; i < 2 * COUNT_OF(protocols); i++) {
        portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
        portls_input_port *in, *ssl_in;
        portls_output_port *out, *ssl_out;
        options.mode = i % 2 == 0 ? PORTLS_MODE_CONNECT : PORTLS_MODE_ACCEPT;
        options.protocol = protocols[i / 2];
        options.close_original = true;
        REQUIRE_OK(portls_make_pipe(1, &in, &out, &problem));
        if (portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, &problem) == PORTLS_OK) {
            portls_close_output_port_avail(ssl_out, &problem);
            REQUIRE_OK(portls_close_input_port(ssl_in, &problem));
        } else {
            REQUIRE_OK(portls_close_input_port(in, &problem));
            REQUIRE_OK(portls_close_output_port(out, &problem));
        }
    }
}

void place_begin(void) {
    /* And what the C library keeps of its first file. */
    size_t size;
    free(read_file(ROOT, &size));
    use_protocol_contexts();
}

long place_count(void) {
    return (long)board_heap_in_use();
}

const char *place_file(const void *bytes, size_t size) {
    static char path[512];
    name_file(path, sizeof path, files++);
    FILE *file = fopen(path, "wb");
    cr_assert(file != NULL, "%s could not be made", path);
    cr_assert(fwrite(bytes, 1, size, file) == size, "%s could not be written", path);
    fclose(file);
    return path;
}

void place_end(void) {
    char path[512];
    while (files > 0) {
        name_file(path, sizeof path, --files);
        remove(path);
    }
}

void place_yield(void) {
}
