/* The portls command: a person's way to talk TLS. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

static const char help[] =
    "Usage: portls COMMAND [OPTION]...\n"
    "Talk TLS through standard input and output, or look at the TLS library.\n"
    "\n"
    "  portls info                            version, TLS library, capabilities\n"
    "  portls connect HOST:PORT               be a client; the server is verified\n"
    "  portls listen PORT --cert F --key F    be a server, for one connection\n"
    "  portls listen PORT --cert F --echo     be a server that sends all bytes back\n"
    "\n"
    "  portls COMMAND --help                  the options of a command\n"
    "  portls --version                       the version\n"
    "\n"
    "Exit codes: 0 ended well, 1 usage, 2 cannot connect or listen,\n"
    "3 the peer's certificate was refused, 4 the connection failed, 5 a certificate,\n"
    "key or roots file is bad, 6 the TLS library is missing or cannot do that,\n"
    "7 a local failure (standard input or output, memory).\n"
    "\n"
    "Example:\n"
    "  printf 'GET / HTTP/1.0\\r\\nHost: example.org\\r\\n\\r\\n' |\n"
    "      portls connect --keep-open example.org:443\n";

/* A descriptor below 3 that is closed would be given to a socket, and be taken for standard input,
   output or error. */
static bool keep_standard_descriptors(void) {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_RDWR) != descriptor) {
            return false;
        }
    }
    return true;
}

/* Standard output may be full or gone, and a command's text with it. */
static int finish(int result) {
    if (fflush(stdout) != 0 && result == TOOL_OK) {
        tool_say("", "standard output cannot be written");
        return TOOL_LOCAL;
    }
    return result;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {{"info", tool_info}, {"connect", tool_connect}, {"listen", tool_listen}};
    if (!keep_standard_descriptors()) {
        return TOOL_LOCAL;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        return tool_usage("", "a command is missing: info, connect or listen");
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        (void)fputs(help, stdout);
        return finish(TOOL_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("portls %s\n", portls_version());
        return finish(TOOL_OK);
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return finish(commands[i].run(argc - 1, argv + 1));
        }
    }
    return tool_usage("", "'%s' is no command, which is info, connect or listen", argv[1]);
}
