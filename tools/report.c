/* What the portls command says on standard error, and the exit codes of errors. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

enum { LINE_SIZE = 1024 };

/* One fputs for the whole line, so that lines of several threads do not mix. */
static void say_line(const char *command, const char *text) {
    char line[LINE_SIZE + 64];
    (void)snprintf(line, sizeof line - 1, "portls%s%s: %s", *command != '\0' ? " " : "", command,
                   text);
    for (char *at = line; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = '?';
        }
    }
    size_t length = strlen(line);
    line[length] = '\n';
    line[length + 1] = '\0';
    (void)fputs(line, stderr);
}

void tool_say(const char *command, const char *format, ...) {
    char text[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say_line(command, text);
}

int tool_usage(const char *command, const char *format, ...) {
    char text[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say_line(command, text);
    (void)fprintf(stderr, "Try 'portls %s%s--help'.\n", command, *command != '\0' ? " " : "");
    return TOOL_USAGE;
}

static int exit_code(portls_status status) {
    switch (status) {
    case PORTLS_INVALID_ARGUMENT:
        return TOOL_USAGE;
    case PORTLS_RESOLVE:
    case PORTLS_CONNECT:
    case PORTLS_LISTEN:
        return TOOL_UNREACHABLE;
    case PORTLS_VERIFY:
        return TOOL_REFUSED;
    case PORTLS_FILE:
    case PORTLS_BAD_CERTIFICATE:
    case PORTLS_BAD_KEY:
    case PORTLS_KEY_ENCRYPTED:
    case PORTLS_KEY_MISMATCH:
        return TOOL_BAD_FILE;
    case PORTLS_UNAVAILABLE:
    case PORTLS_UNSUPPORTED:
        return TOOL_UNAVAILABLE;
    case PORTLS_NO_MEMORY:
    case PORTLS_OS:
    case PORTLS_WRONG_KIND:
    case PORTLS_SEALED:
    case PORTLS_IN_USE:
        return TOOL_LOCAL;
    default:
        return TOOL_BROKEN;
    }
}

int tool_fail(const char *command, const portls_error *error) {
    tool_say(command, "%s", error->message);
    return exit_code(error->status);
}

void tool_describe(const char *command, const portls_input_port *ssl_in) {
    const char *protocol = portls_connection_protocol(ssl_in);
    const char *cipher = portls_connection_cipher(ssl_in);
    const char *subject = portls_connection_peer_subject(ssl_in);
    if (protocol == NULL) {
        tool_say(command, "the handshake is not done");
        return;
    }
    if (*subject == '\0') {
        tool_say(command, "%s, %s, peer without a certificate", protocol, cipher);
        return;
    }
    tool_say(command, "%s, %s, peer %s, %s", protocol, cipher, subject,
             portls_connection_peer_verified(ssl_in) ? "verified" : "not verified");
}
