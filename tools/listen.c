/* portls listen: a TLS server on standard input and output, or one that echoes. */
#define _POSIX_C_SOURCE 200809L
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const char help[] =
    "Usage: portls listen [OPTION]... PORT --cert FILE [--key FILE]\n"
    "Take one TLS connection; send it standard input and write what it sends to\n"
    "standard output. PORT 0 lets the system choose; standard error tells the port.\n"
    "\n"
    "  --cert FILE           the server's PEM certificate chain\n"
    "  --key FILE            its PEM key; default: in the file of --cert\n"
    "  --echo                send every connection its own bytes back, until stopped\n"
    "  --once                end after the first connection, even one that fails\n"
    "  --host HOST           listen on this name or address (127.0.0.1); any: on all\n"
    "  --verify-client FILE  demand a certificate from these PEM roots; repeatable\n"
    "  --suggest FILE        PEM authorities to suggest to clients; repeatable\n"
    "  --protocol NAME       auto (default), tls, tls12 or tls13\n"
    "  --keep-open           do not tell the client when standard input ends\n"
    "  -v, --verbose         say protocol, cipher and peer on standard error\n"
    "  -q, --quiet           do not mention connections that failed\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit codes: 0 ended well, 1 usage, 2 cannot listen, 3 certificate refused,\n"
    "4 connection failed, 5 bad file, 6 TLS library missing, 7 local failure.\n";

struct listen_options {
    int port_no;
    const char *host;
    const char *certificate;
    const char *key;
    struct tool_files client_roots;
    struct tool_files suggested;
    portls_protocol protocol;
    bool echo;
    bool once;
    bool keep_open;
    bool verbose;
    bool quiet;
    bool help;
};

static int take_option(const char *command, int code, struct listen_options *options) {
    switch (code) {
    case 'C':
        return tool_add_file(command, &options->client_roots, optarg);
    case 'S':
        return tool_add_file(command, &options->suggested, optarg);
    case 'p':
        return tool_parse_protocol(command, optarg, &options->protocol);
    case 'H':
        options->host = optarg;
        break;
    case 'c':
        options->certificate = optarg;
        break;
    case 'k':
        options->key = optarg;
        break;
    case 'e':
        options->echo = true;
        break;
    case '1':
        options->once = true;
        break;
    case 'o':
        options->keep_open = true;
        break;
    case 'v':
        options->verbose = true;
        options->quiet = false;
        break;
    case 'q':
        options->verbose = false;
        options->quiet = true;
        break;
    default:
        options->help = true;
        break;
    }
    return TOOL_OK;
}

static int check_options(const char *command, const struct listen_options *options) {
    if (options->certificate == NULL) {
        return tool_usage(command, "--cert FILE is missing");
    }
    if (options->protocol == PORTLS_SECURE) {
        return tool_usage(command, "--protocol secure is for clients; a server verifies with "
                                   "--verify-client");
    }
    if (options->echo && options->keep_open) {
        return tool_usage(command, "--echo and --keep-open exclude each other");
    }
    return TOOL_OK;
}

static int parse(int argc, char **argv, struct listen_options *options) {
    static const struct option names[] = {{"cert", required_argument, NULL, 'c'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"echo", no_argument, NULL, 'e'},
                                          {"once", no_argument, NULL, '1'},
                                          {"host", required_argument, NULL, 'H'},
                                          {"verify-client", required_argument, NULL, 'C'},
                                          {"suggest", required_argument, NULL, 'S'},
                                          {"protocol", required_argument, NULL, 'p'},
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
        return tool_usage(argv[0], "PORT is missing");
    }
    if (optind + 1 < argc) {
        return tool_usage(argv[0], "'%s' is one argument too many", argv[optind + 1]);
    }
    int result = tool_parse_port(argv[0], argv[optind], 0, &options->port_no);
    return result != TOOL_OK ? result : check_options(argv[0], options);
}

static int make_context(const char *command, const struct listen_options *options,
                        portls_context **context) {
    portls_error error;
    if (portls_make_server_context(options->protocol, context, &error) != PORTLS_OK) {
        return tool_fail(command, &error);
    }
    int result = tool_load_identity(command, *context, options->certificate, options->key);
    if (result == TOOL_OK) {
        result = tool_load_roots(command, *context, &options->client_roots, 0);
    }
    if (result == TOOL_OK && options->client_roots.count != 0 &&
        portls_set_verify(*context, true, &error) != PORTLS_OK) {
        result = tool_fail(command, &error);
    }
    for (size_t i = 0; result == TOOL_OK && i < options->suggested.count; i++) {
        if (portls_load_suggested_certificate_authorities(*context, options->suggested.path[i],
                                                          &error) != PORTLS_OK) {
            result = tool_fail(command, &error);
        }
    }
    return result;
}

/* The handler's only way to the break that ends the server. */
static portls_break *signalled;

static void on_signal(int number) {
    (void)number;
    portls_set_break(signalled);
}

static void handle_signals(void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* The line is not prefixed, and always in this form. */
int tool_announce(const char *command, portls_listener *listener) {
    portls_error error;
    portls_address local;
    if (portls_addresses(portls_source_listener(listener), &local, NULL, &error) != PORTLS_OK) {
        return tool_fail(command, &error);
    }
    bool brackets = strchr(local.host, ':') != NULL;
    (void)fprintf(stderr, "listening on %s%s%s:%d\n", brackets ? "[" : "", local.host,
                  brackets ? "]" : "", local.port_no);
    return TOOL_OK;
}

/* What the event handler works with. */
struct events {
    const char *command;
    const struct listen_options *options;
    portls_break *stop;
    portls_error failure; /* with --once: why the first connection failed, or PORTLS_OK */
};

/* Tells of failed connections and pauses. With --once the first failure is the end. */
static void on_event(void *argument, portls_listener *listener,
                     const portls_listener_event *event) {
    struct events *events = argument;
    (void)listener;
    if (event->kind == PORTLS_HANDSHAKE_FAILED && events->options->once) {
        events->failure = *event->error;
        portls_set_break(events->stop);
    } else if (events->options->quiet) {
        return;
    } else if (event->kind == PORTLS_HANDSHAKE_FAILED) {
        tool_say(events->command, "a connection failed: %s", event->error->message);
    } else {
        tool_say(events->command, "pausing for %d ms: %s", event->milliseconds,
                 event->error->message);
    }
}

/* Hands the first connection whose handshake succeeds to standard input and output. */
static int serve_one(const char *command, const struct listen_options *options,
                     portls_listener *listener, portls_break *stop) {
    portls_error error;
    struct tool_relay relay = {.command = command,
                               .stop = stop,
                               .keep_open = options->keep_open,
                               .verbose = options->verbose};
    int result = tool_announce(command, listener);
    if (result != TOOL_OK) {
        return result;
    }
    portls_status status =
        portls_accept_enable_break(listener, stop, &relay.in, &relay.out, &error);
    if (status != PORTLS_OK) {
        return status == PORTLS_BREAK ? TOOL_OK : tool_fail(command, &error);
    }
    if (options->verbose) {
        tool_describe(command, relay.in);
    }
    return tool_relay(&relay);
}

static int serve(const char *command, const struct listen_options *options, portls_context *context,
                 portls_break *stop) {
    portls_error error;
    portls_listener *listener = NULL;
    const char *host = strcmp(options->host, "any") == 0 ? NULL : options->host;
    if (portls_listen(options->port_no, 128, true, host, context, &listener, &error) != PORTLS_OK) {
        return tool_fail(command, &error);
    }
    struct events events = {.command = command, .options = options, .stop = stop};
    if (portls_set_event_handler(listener, on_event, &events, &error) != PORTLS_OK) {
        return tool_fail(command, &error);
    }
    signalled = stop;
    handle_signals(on_signal);
    int result = TOOL_OK;
    if (options->echo) {
        struct tool_echo echo = {.command = command,
                                 .listener = listener,
                                 .stop = stop,
                                 .once = options->once,
                                 .quiet = options->quiet,
                                 .verbose = options->verbose};
        result = tool_echo(&echo);
    } else {
        result = serve_one(command, options, listener, stop);
    }
    portls_close(listener);
    return result == TOOL_OK && events.failure.status != PORTLS_OK
               ? tool_fail(command, &events.failure)
               : result;
}

int tool_listen(int argc, char **argv) {
    struct listen_options options = {.host = "127.0.0.1", .protocol = PORTLS_AUTO};
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
        result = serve(argv[0], &options, context, stop);
    }
    portls_free_context(context);
    handle_signals(SIG_IGN); /* it ends in any case, and in good order */
    portls_free_break(stop);
    return result;
}
