/* portls connect: standard input and output through TLS to a server. */
#include <getopt.h>
#include <stdio.h>

#include "tool.h"

static const char help[] =
    "Usage: portls connect [OPTION]... HOST:PORT\n"
    "Send standard input to a TLS server, and what it answers to standard output.\n"
    "The server's certificate and name are verified with the system's roots.\n"
    "\n"
    "  --roots FILE      trust the PEM certificates in FILE instead; repeatable\n"
    "  --no-verify       do not verify at all: anybody may be the server\n"
    "  --cert FILE       identify yourself with this PEM certificate chain\n"
    "  --key FILE        its PEM key; default: in the file of --cert\n"
    "  --protocol NAME   secure (default), auto, tls, tls12 or tls13\n"
    "  --strict          an end without the server's close_notify is a failure\n"
    "  --keep-open       do not tell the server when standard input ends\n"
    "  -v, --verbose     say protocol, cipher and peer on standard error\n"
    "  -q, --quiet       the opposite\n"
    "  -h, --help        this text\n"
    "\n"
    "HOST is a name or an address, an IPv6 one in brackets: [::1]:443.\n"
    "Exit codes: 0 ended well, 1 usage, 2 cannot connect, 3 certificate refused,\n"
    "4 connection failed, 5 bad file, 6 TLS library missing, 7 local failure.\n";

struct connect_options {
    char host[256];
    int port_no;
    struct tool_files roots;
    const char *certificate;
    const char *key;
    portls_protocol protocol;
    bool protocol_given;
    bool no_verify;
    bool strict;
    bool keep_open;
    bool verbose;
    bool help;
};

static int take_option(const char *command, int code, struct connect_options *options) {
    switch (code) {
    case 'r':
        return tool_add_file(command, &options->roots, optarg);
    case 'p':
        options->protocol_given = true;
        return tool_parse_protocol(command, optarg, &options->protocol);
    case 'c':
        options->certificate = optarg;
        break;
    case 'k':
        options->key = optarg;
        break;
    case 'n':
        options->no_verify = true;
        break;
    case 's':
        options->strict = true;
        break;
    case 'o':
        options->keep_open = true;
        break;
    case 'v':
        options->verbose = true;
        break;
    case 'q':
        options->verbose = false;
        break;
    default:
        options->help = true;
        break;
    }
    return TOOL_OK;
}

static int check_options(const char *command, const struct connect_options *options) {
    if (options->no_verify && options->roots.count != 0) {
        return tool_usage(command, "--no-verify and --roots exclude each other");
    }
    if (options->protocol_given && options->protocol == PORTLS_SECURE &&
        (options->no_verify || options->roots.count != 0)) {
        return tool_usage(command,
                          "--protocol secure means the system's roots; leave it out to use "
                          "--roots or --no-verify");
    }
    if (options->key != NULL && options->certificate == NULL) {
        return tool_usage(command, "--key without --cert");
    }
    return TOOL_OK;
}

static int parse(int argc, char **argv, struct connect_options *options) {
    static const struct option names[] = {{"roots", required_argument, NULL, 'r'},
                                          {"no-verify", no_argument, NULL, 'n'},
                                          {"cert", required_argument, NULL, 'c'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"protocol", required_argument, NULL, 'p'},
                                          {"strict", no_argument, NULL, 's'},
                                          {"keep-open", no_argument, NULL, 'o'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    for (int code; (code = getopt_long(argc, argv, ":vqh", names, NULL)) != -1;) {
        int result = code == ':' || code == '?' ? tool_bad_option(argv[0], code, argv)
                                                : take_option(argv[0], code, options);
        if (result != TOOL_OK || options->help) {
            return result;
        }
    }
    if (optind == argc) {
        return tool_usage(argv[0], "HOST:PORT is missing");
    }
    if (optind + 1 < argc) {
        return tool_usage(argv[0], "'%s' is one argument too many", argv[optind + 1]);
    }
    int result = tool_parse_host_port(argv[0], argv[optind], options->host, sizeof options->host,
                                      &options->port_no);
    return result != TOOL_OK ? result : check_options(argv[0], options);
}

/* Trust for a context that does not bring its own as PORTLS_SECURE does. */
static int set_trust(const char *command, const struct connect_options *options,
                     portls_context *context) {
    portls_error error;
    int result = tool_load_roots(command, context, &options->roots, 0);
    if (result != TOOL_OK) {
        return result;
    }
    if ((options->roots.count == 0 &&
         portls_load_verify_system_certificates(context, &error) != PORTLS_OK) ||
        portls_set_verify(context, true, &error) != PORTLS_OK ||
        portls_set_verify_hostname(context, true, &error) != PORTLS_OK) {
        return tool_fail(command, &error);
    }
    return TOOL_OK;
}

/* The context for --roots alone. */
static int make_verified_context(const char *command, const struct connect_options *options,
                                 portls_context **context) {
    portls_error error;
    if (portls_make_verified_client_context(options->roots.path[0], context, &error) != PORTLS_OK) {
        return tool_fail(command, &error);
    }
    return tool_load_roots(command, *context, &options->roots, 1);
}

/* Makes a context of --protocol, or the default one. */
static int make_context_of_protocol(const char *command, const struct connect_options *options,
                                    portls_context **context) {
    portls_error error;
    portls_protocol protocol = options->protocol_given ? options->protocol
                               : options->no_verify    ? PORTLS_AUTO
                                                       : PORTLS_SECURE;
    if (portls_make_client_context(protocol, context, &error) != PORTLS_OK) {
        return tool_fail(command, &error);
    }
    if (options->no_verify) {
        tool_say(command, "warning: --no-verify: anybody may be the server");
        return TOOL_OK;
    }
    return protocol == PORTLS_SECURE ? TOOL_OK : set_trust(command, options, *context);
}

static int make_context(const char *command, const struct connect_options *options,
                        portls_context **context) {
    int result = options->roots.count != 0 && !options->protocol_given
                     ? make_verified_context(command, options, context)
                     : make_context_of_protocol(command, options, context);
    if (result == TOOL_OK && options->certificate != NULL) {
        result = tool_load_identity(command, *context, options->certificate, options->key);
    }
    return result;
}

static int talk(const char *command, const struct connect_options *options, portls_context *context,
                portls_break *stop) {
    portls_error error;
    struct tool_relay relay = {.command = command,
                               .stop = stop,
                               .keep_open = options->keep_open,
                               .verbose = options->verbose};
    if (portls_connect(options->host, options->port_no, context, &relay.in, &relay.out, &error) !=
            PORTLS_OK ||
        portls_set_strict_eof(relay.in, options->strict, &error) != PORTLS_OK) {
        return tool_fail(command, &error);
    }
    if (options->verbose) {
        tool_describe(command, relay.in);
    }
    return tool_relay(&relay);
}

int tool_connect(int argc, char **argv) {
    struct connect_options options = {.protocol = PORTLS_SECURE};
    int result = parse(argc, argv, &options);
    if (result != TOOL_OK) {
        return result;
    }
    if (options.help) {
        (void)fputs(help, stdout);
        return TOOL_OK;
    }
    portls_error error;
    portls_context *context = NULL;
    portls_break *stop = NULL;
    if (portls_make_break(&stop, &error) != PORTLS_OK) {
        return tool_fail(argv[0], &error);
    }
    result = make_context(argv[0], &options, &context);
    if (result == TOOL_OK) {
        result = talk(argv[0], &options, context, stop);
    }
    portls_free_context(context);
    portls_free_break(stop);
    return result;
}
