/*
 * The least that a device needs: a client over a UART that trusts one root, verifies its server's
 * certificate and name, sends a line, hears one and closes. Its size is what docs/footprint.md
 * gives as that of a client; the exit code is 0 only if everything went well.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <portls/portls.h>

#include "certificates.h"
#include "uart.h"

static const char question[] = "a word from the board\n";
static const char answer[] = "draob eht morf drow a\n"; /* openssl s_server -rev */

static portls_input_port *in;
static portls_output_port *out;

static void need(portls_status status) {
    if (status != PORTLS_OK) {
        exit((int)status);
    }
}

static bool wants(portls_status status) {
    return status == PORTLS_WANT_READ || status == PORTLS_WANT_WRITE;
}

static portls_context *make_context(void) {
    portls_context *context = NULL;
    need(portls_make_client_context(PORTLS_AUTO, &context, NULL));
    need(portls_load_verify_root_certificates_data(context, root, sizeof root, NULL));
    need(portls_set_verify(context, true, NULL));
    need(portls_set_verify_hostname(context, true, NULL));
    return context;
}

static void begin(portls_context *context) {
    portls_input_callbacks from_uart = PORTLS_INPUT_CALLBACKS_INIT;
    portls_output_callbacks to_uart = PORTLS_OUTPUT_CALLBACKS_INIT;
    portls_input_port *uart_in = NULL;
    portls_output_port *uart_out = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = context;
    options.hostname = "localhost";
    options.close_original = true;
    options.shutdown_on_close = true;
    from_uart.read = uart_read;
    to_uart.write = uart_write;
    uart_begin();
    need(portls_make_input_port(&from_uart, NULL, &uart_in, NULL));
    need(portls_make_output_port(&to_uart, NULL, &uart_out, NULL));
    need(portls_wrap_ports_avail(uart_in, uart_out, &options, &in, &out, NULL));
}

static void say(const char *line, size_t size) {
    portls_status status = PORTLS_WANT_WRITE;
    for (size_t said = 0, put = 0; said < size; said += put) {
        status = portls_write_avail(out, line + said, size - said, &put, NULL);
        need(wants(status) ? PORTLS_OK : status);
    }
    while (wants(status = portls_flush_avail(out, NULL))) {
    }
    need(status);
}

static size_t hear(char *line, size_t room) {
    size_t heard = 0;
    while (heard == 0 || (heard < room && line[heard - 1] != '\n')) {
        size_t got = 0;
        portls_status status = portls_read_avail(in, line + heard, room - heard, &got, NULL);
        need(wants(status) ? PORTLS_OK : status);
        heard += got;
    }
    return heard;
}

int main(void) {
    char line[64];
    portls_context *context = make_context();
    begin(context);
    portls_status status = PORTLS_WANT_READ;
    while (wants(status)) {
        status = portls_handshake_avail(in, NULL);
    }
    need(status);
    say(question, sizeof question - 1);
    bool good = hear(line, sizeof line) == sizeof answer - 1 &&
                memcmp(line, answer, sizeof answer - 1) == 0;
    while (wants(status = portls_close_output_port_avail(out, NULL))) {
    }
    need(status);
    while (wants(status = portls_close_input_port_avail(in, NULL))) {
    }
    need(status);
    portls_free_context(context);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
