/* portls info: which library this is, over which backend, and what that can do. */
#include <getopt.h>
#include <stdio.h>

#include "tool.h"

static const char help[] = "Usage: portls info [--capabilities]\n"
                           "Tell the version, the TLS library behind it, and what that can do.\n"
                           "\n"
                           "  --capabilities   only the table: NAME, yes or no, meaning\n"
                           "  -h, --help       this text\n"
                           "\n"
                           "Exit code: 0, or 6 when the TLS library is not available.\n";

static void print_capabilities(void) {
    static const struct {
        uint32_t bit;
        const char *name;
        const char *meaning;
    } table[] = {
#define TOOL_CAPABILITY(bit, name, text) {1U << (bit), #name, text},
        PORTLS_CAPABILITY_MAP(TOOL_CAPABILITY)
#undef TOOL_CAPABILITY
    };
    uint32_t have = portls_capabilities();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        (void)printf("%-24s %-3s  %s\n", table[i].name, (have & table[i].bit) != 0 ? "yes" : "no",
                     table[i].meaning);
    }
}

static void print_all(void) {
    (void)printf("portls:       %s\n", portls_version());
    (void)printf("backend:      %s\n", portls_backend_name());
    (void)printf("available:    %s\n", portls_available() ? "yes" : "no");
    if (portls_available()) {
        (void)printf("TLS library:  %s\n", portls_backend_version());
    } else {
        (void)printf("reason:       %s\n", portls_load_fail_reason());
    }
    (void)printf("capabilities:\n");
    print_capabilities();
}

int tool_info(int argc, char **argv) {
    static const struct option options[] = {{"capabilities", no_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    bool only_capabilities = false;
    for (int code; (code = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        switch (code) {
        case 'c':
            only_capabilities = true;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return TOOL_OK;
        default:
            return tool_bad_option(argv[0], code, argv);
        }
    }
    if (optind < argc) {
        return tool_usage(argv[0], "'%s' is one argument too many", argv[optind]);
    }
    if (only_capabilities) {
        print_capabilities();
    } else {
        print_all();
    }
    return portls_available() ? TOOL_OK : TOOL_UNAVAILABLE;
}
