/* What the parts of the portls command share. */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/portls.h"

/* The command's exit codes, as the help and the man page give them. */
enum tool_exit {
    TOOL_OK = 0,
    TOOL_USAGE = 1,       /* the command line is wrong */
    TOOL_UNREACHABLE = 2, /* cannot connect or listen */
    TOOL_REFUSED = 3,     /* the peer's certificate was refused */
    TOOL_BROKEN = 4,      /* the handshake or the connection failed */
    TOOL_BAD_FILE = 5,    /* a certificate, key or roots file is of no use */
    TOOL_UNAVAILABLE = 6, /* the TLS library is missing, or cannot do what was asked */
    TOOL_LOCAL = 7        /* standard input, standard output, memory, the system */
};

/* ---- the commands: each gets its own name as argv[0] and returns an exit code ---- */

int tool_info(int argc, char **argv);
int tool_connect(int argc, char **argv);
int tool_listen(int argc, char **argv);

/* ---- report.c: saying things on standard error ---- */

#if defined(__GNUC__)
#define TOOL_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TOOL_PRINTF(text, first)
#endif

/* Writes the line "portls COMMAND: …". Control characters, which a peer may have chosen, become
   '?'. Any thread. */
void tool_say(const char *command, const char *format, ...) TOOL_PRINTF(2, 3);

/* The same for a wrong command line, with a second line that says where the help is. */
int tool_usage(const char *command, const char *format, ...) TOOL_PRINTF(2, 3);

/* Says the error's message. Returns the exit code that goes with its status. */
int tool_fail(const char *command, const portls_error *error);

/* Says protocol, cipher and peer of a connection. */
void tool_describe(const char *command, const portls_input_port *ssl_in);

/* ---- arguments.c: reading the command line ---- */

/* File names of an option that may be given several times. */
enum { TOOL_FILES_LIMIT = 32 };
struct tool_files {
    const char *path[TOOL_FILES_LIMIT];
    size_t count;
};

/* Each returns TOOL_OK, or says what is wrong and returns TOOL_USAGE. */
int tool_add_file(const char *command, struct tool_files *files, const char *path);
int tool_parse_port(const char *command, const char *text, int lowest, int *port_no);
int tool_parse_host_port(const char *command, const char *text, char *host, size_t size,
                         int *port_no);
int tool_parse_protocol(const char *command, const char *text, portls_protocol *protocol);

/* For what getopt_long returns when it cannot go on: ':' or '?'. */
int tool_bad_option(const char *command, int code, char *const *argv);

/* ---- settings.c: filling contexts ---- */

/* Each returns TOOL_OK, or says what is wrong and returns its exit code. `key` NULL: the key is in
   the certificate's file. Roots are loaded from the files with index `first` and up. */
int tool_load_identity(const char *command, portls_context *context, const char *certificate,
                       const char *key);
int tool_load_roots(const char *command, portls_context *context, const struct tool_files *roots,
                    size_t first);

/* ---- relay.c: carrying bytes ---- */

/* Carries what comes from one port to another until it ends. */
struct tool_way {
    portls_input_port *from;
    portls_output_port *to;
    portls_break *stop;   /* ends it early with PORTLS_BREAK */
    portls_status status; /* result: PORTLS_EOF, PORTLS_BREAK, or why it failed */
    bool failed_in_write; /* result: it was `to` that failed */
    portls_error error;   /* result */
};
void tool_carry(struct tool_way *way);

/* A connection that is handed to standard input and output. */
struct tool_relay {
    const char *command;
    portls_input_port *in;
    portls_output_port *out;
    portls_break *stop; /* ends it early */
    bool keep_open;     /* the end of standard input is not passed on */
    bool verbose;
};

/* Carries both directions at once until both have ended, closes the ports, returns an exit code. */
int tool_relay(const struct tool_relay *relay);

/* ---- echo.c: serving many ---- */

struct tool_echo {
    const char *command;
    portls_listener *listener;
    portls_break *stop;
    bool once;
    bool quiet;
    bool verbose;
};

/* Sends every connection's bytes back to it, until stopped. Returns an exit code. */
int tool_echo(const struct tool_echo *echo);

/* Prints where the command listens, once it accepts: scripts wait for that line and take the port
   from it. Returns an exit code. */
int tool_announce(const char *command, portls_listener *listener);

#endif
