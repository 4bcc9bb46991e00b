/* Reading the portls command line. */
#include <getopt.h>
#include <string.h>

#include "tool.h"

int tool_add_file(const char *command, struct tool_files *files, const char *path) {
    if (files->count == TOOL_FILES_LIMIT) {
        return tool_usage(command, "more than %d files for one option", (int)TOOL_FILES_LIMIT);
    }
    files->path[files->count++] = path;
    return TOOL_OK;
}

int tool_parse_port(const char *command, const char *text, int lowest, int *port_no) {
    int value = 0;
    size_t length = strlen(text);
    bool good = length >= 1 && length <= 5 && strspn(text, "0123456789") == length;
    for (size_t i = 0; good && i < length; i++) {
        value = value * 10 + (text[i] - '0');
    }
    if (!good || value < lowest || value > 65535) {
        return tool_usage(command, "'%s' is no port number, which is %d to 65535", text, lowest);
    }
    *port_no = value;
    return TOOL_OK;
}

int tool_parse_host_port(const char *command, const char *text, char *host, size_t size,
                         int *port_no) {
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text) {
        return tool_usage(command, "'%s' is not HOST:PORT, as in example.org:443", text);
    }
    size_t length = (size_t)(colon - text);
    if (text[0] == '[') {
        if (length < 3 || colon[-1] != ']') {
            return tool_usage(command, "'%s' is not [ADDRESS]:PORT, as in [::1]:443", text);
        }
        text++;
        length -= 2;
    } else if (memchr(text, ':', length) != NULL) {
        return tool_usage(command, "'%s': an IPv6 address goes into brackets, as in [::1]:443",
                          text);
    }
    if (length >= size) {
        return tool_usage(command, "the host name is longer than %zu characters", size - 1);
    }
    memcpy(host, text, length);
    host[length] = '\0';
    return tool_parse_port(command, colon + 1, 1, port_no);
}

int tool_parse_protocol(const char *command, const char *text, portls_protocol *protocol) {
    static const struct {
        const char *name;
        portls_protocol protocol;
    } names[] = {{"auto", PORTLS_AUTO},
                 {"tls", PORTLS_TLS},
                 {"tls12", PORTLS_TLS12},
                 {"tls13", PORTLS_TLS13},
                 {"secure", PORTLS_SECURE}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i].name) == 0) {
            *protocol = names[i].protocol;
            return TOOL_OK;
        }
    }
    return tool_usage(command, "'%s' is no protocol, which is auto, tls, tls12, tls13 or secure",
                      text);
}

int tool_bad_option(const char *command, int code, char *const *argv) {
    if (code == ':') {
        return tool_usage(command, "option '%s' needs a value", argv[optind - 1]);
    }
    if (optopt > 0 && optopt < 0x80) { /* a short one, perhaps in the middle of a cluster */
        return tool_usage(command, "unknown option '-%c'", optopt);
    }
    return tool_usage(command, "unknown option '%s'", argv[optind - 1]);
}
