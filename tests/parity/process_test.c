/*
 * The process is left alone (design, 5.12): a whole session, failures included, writes nothing to
 * the standard output and error, reads nothing from the standard input, and changes neither signals
 * nor environment, nor anything else that belongs to the program. The library's once-only
 * initialisation is part of the session.
 */
#include <dirent.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "parity_support.h"
#include "spec_peer.h"

SPEC_SUITE(process);

extern char **environ;

/* ---- everything of the process that could be changed ---- */

enum { VARIABLES_MAX = 500, SIGNALS = 65 };

struct process_state {
    char **environment;
    char *variables[VARIABLES_MAX];
    char *values[VARIABLES_MAX]; /* copies */
    size_t variable_count;
    struct sigaction actions[SIGNALS];
    sigset_t blocked, pending;
    struct itimerval timer;
    mode_t mask;
    char directory[512], locale[512];
    unsigned threads;
};

static unsigned count_threads(void) {
    DIR *directory = opendir("/proc/self/task");
    unsigned count = 0;
    cr_assert(directory != NULL);
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

static void look_at_process(struct process_state *state) {
    memset(state, 0, sizeof *state);
    state->environment = environ;
    for (; environ[state->variable_count] != NULL; state->variable_count++) {
        cr_assert(state->variable_count < VARIABLES_MAX, "too many variables for this test");
        state->variables[state->variable_count] = environ[state->variable_count];
        state->values[state->variable_count] = strdup(environ[state->variable_count]);
    }
    for (int number = 1; number < SIGNALS; number++) {
        (void)sigaction(number, NULL, &state->actions[number]);
    }
    sigprocmask(SIG_SETMASK, NULL, &state->blocked);
    sigpending(&state->pending);
    getitimer(ITIMER_REAL, &state->timer);
    state->mask = umask(0);
    umask(state->mask);
    cr_assert(getcwd(state->directory, sizeof state->directory) != NULL);
    snprintf(state->locale, sizeof state->locale, "%s", setlocale(LC_ALL, NULL));
    state->threads = count_threads();
}

static void require_same_environment(const struct process_state *before,
                                     const struct process_state *after) {
    cr_assert(before->environment == after->environment, "the environment was moved");
    cr_assert_eq(before->variable_count, after->variable_count, "variables were set or unset");
    for (size_t i = 0; i < before->variable_count; i++) {
        cr_assert(before->variables[i] == after->variables[i], "%s was replaced",
                  before->values[i]);
        cr_assert_str_eq(before->values[i], after->values[i]);
    }
}

static void require_same_signals(const struct process_state *before,
                                 const struct process_state *after) {
    for (int number = 1; number < SIGNALS; number++) {
        const struct sigaction *was = &before->actions[number];
        const struct sigaction *is = &after->actions[number];
        cr_assert(was->sa_handler == is->sa_handler && was->sa_flags == is->sa_flags,
                  "the handling of signal %d was changed", number);
        cr_assert(sigismember(&before->blocked, number) == sigismember(&after->blocked, number),
                  "signal %d was blocked or unblocked", number);
        cr_assert(sigismember(&before->pending, number) == sigismember(&after->pending, number),
                  "signal %d was raised", number);
    }
}

static void require_same_process(const struct process_state *before,
                                 const struct process_state *after) {
    require_same_environment(before, after);
    require_same_signals(before, after);
    cr_assert_eq(after->timer.it_value.tv_sec, before->timer.it_value.tv_sec, "an alarm was set");
    cr_assert_eq(after->mask, before->mask, "the umask was changed");
    cr_assert_str_eq(after->directory, before->directory);
    cr_assert_str_eq(after->locale, before->locale);
    cr_assert_eq(after->threads, before->threads, "threads were left behind");
}

static void forget(struct process_state *state) {
    for (size_t i = 0; i < state->variable_count; i++) {
        free(state->values[i]);
    }
}

/* ---- a session ---- */

static void exchange_and_close(portls_protocol protocol) {
    struct both_options options = make_options(protocol, "server-p256");
    struct link link;
    options.client.shutdown_on_close = true;
    link_open_well(&link, wide_pipes, &options.client, &options.server);
    link_exchange(&link, 50000);
    link_close(&link);
    link_open_well(&link, by_connect, &options.client, &options.server);
    link_exchange(&link, 50000);
    link_close(&link);
    free_options(&options);
}

static void fail_to_verify(portls_protocol protocol) {
    static const char *const bad[] = {"second-root-leaf", "self-signed", "expired",
                                      "bad-signature"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct both_options options = make_options(protocol, bad[i]);
        struct link link;
        REQUIRE_OK(portls_load_verify_root_certificates(options.client.context, ROOT, &problem));
        REQUIRE_OK(portls_set_verify(options.client.context, true, &problem));
        link_open(&link, wide_pipes, &options.client, &options.server);
        cr_assert_eq(link.client.status, PORTLS_VERIFY);
        link_close(&link);
        free_options(&options);
    }
}

static void fail_to_understand(portls_protocol protocol) {
    static const char garbage[] = "GET / HTTP/1.0\r\n\r\n and so on, and no TLS at all";
    struct both_options options = make_options(protocol, "server-p256");
    struct wire wire;
    wire_begin(&wire, 65536, &options.client, &options.server);
    REQUIRE_OK(portls_write(wire.to_server, garbage, sizeof garbage, NULL, &problem));
    REQUIRE_OK(portls_write(wire.to_client, garbage, sizeof garbage, NULL, &problem));
    cr_assert(portls_handshake_avail(wire.link.server.in, &problem) >= PORTLS_INVALID_ARGUMENT);
    ignore(portls_handshake_avail(wire.link.client.in, &problem));
    cr_assert(portls_handshake_avail(wire.link.client.in, &problem) >= PORTLS_INVALID_ARGUMENT);
    wire_abandon(&wire);
    wire_open_well(&wire, &options);
    REQUIRE_OK(portls_write(wire.to_server, garbage, sizeof garbage, NULL, &problem));
    char byte;
    size_t got;
    REQUIRE_FAILURE(portls_read(wire.link.server.in, &byte, 1, &got, &problem), PORTLS_PROTOCOL,
                    "");
    wire_abandon(&wire);
    free_options(&options);
}

static void fail_to_load(void) {
    portls_context *context = server_context(PORTLS_AUTO, "server-rsa2048", NULL);
    REQUIRE_STATUS(portls_load_private_key(context, CERTS("rsa.encrypted-pkcs8.key"),
                                           PORTLS_KEY_RSA, PORTLS_PEM, &problem),
                   PORTLS_KEY_ENCRYPTED);
    REQUIRE_STATUS(portls_load_private_key(context, CERTS("rsa.encrypted-traditional.key"),
                                           PORTLS_KEY_RSA, PORTLS_PEM, &problem),
                   PORTLS_KEY_ENCRYPTED);
    REQUIRE_STATUS(portls_load_private_key(context, CERTS("server-rsa3072.key"), PORTLS_KEY_RSA,
                                           PORTLS_PEM, &problem),
                   PORTLS_KEY_MISMATCH);
    REQUIRE_STATUS(portls_load_certificate_chain_data(context, "nothing", 7, &problem),
                   PORTLS_BAD_CERTIFICATE);
    REQUIRE_STATUS(portls_load_certificate_chain(context, "/nowhere", &problem), PORTLS_FILE);
    portls_free_context(context);
}

static void fail_to_connect(void) {
    portls_context *client = client_context(PORTLS_AUTO, NULL, NULL);
    portls_input_port *in;
    portls_output_port *out;
    int port_no;
    int silent = bind_plainly(false, &port_no);
    REQUIRE_STATUS(portls_connect("127.0.0.1", port_no, client, &in, &out, &problem),
                   PORTLS_CONNECT);
    close_plainly(silent);
    portls_free_context(client);
}

static void run_session(void) {
    cr_assert(portls_available());
    cr_assert_neq(portls_capabilities(), 0);
    for (size_t i = 0; i < SPOKEN_COUNT; i++) {
        if (is_spoken(&spoken[i])) {
            exchange_and_close(spoken[i].protocol);
            fail_to_verify(spoken[i].protocol);
            fail_to_understand(spoken[i].protocol);
        }
    }
    fail_to_load();
    fail_to_connect();
}

/* ---- the three standard descriptors, replaced by pipes ---- */

struct standard {
    int kept[3];  /* what they were */
    int other[3]; /* the far ends of the pipes */
};

static const char waiting[] = "not for the library\n";

static void replace_standard(struct standard *standard) {
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        int ends[2];
        bool input = descriptor == 0;
        cr_assert(pipe(ends) == 0);
        standard->kept[descriptor] = dup(descriptor);
        cr_assert(dup2(ends[input ? 0 : 1], descriptor) == descriptor);
        close(ends[input ? 0 : 1]);
        standard->other[descriptor] = ends[input ? 1 : 0];
    }
    cr_assert(write(standard->other[0], waiting, strlen(waiting)) == (ssize_t)strlen(waiting));
}

/* Puts them back; how many bytes are left in each pipe. */
static void restore_standard(struct standard *standard, int left[3]) {
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        (void)ioctl(descriptor == 0 ? 0 : standard->other[descriptor], FIONREAD, &left[descriptor]);
        dup2(standard->kept[descriptor], descriptor);
        close(standard->kept[descriptor]);
        close(standard->other[descriptor]);
    }
}

/* No SPEC: the library must not have been used before. */
Test(process, is_left_alone) {
    static struct process_state before, after;
    struct standard standard;
    int left[3];
    fflush(NULL);
    replace_standard(&standard);
    look_at_process(&before);
    run_session();
    look_at_process(&after);
    fflush(NULL);
    restore_standard(&standard, left);
    cr_assert_eq(left[0], (int)strlen(waiting), "the standard input was read");
    cr_assert_eq(left[1], 0, "%d bytes were written to the standard output", left[1]);
    cr_assert_eq(left[2], 0, "%d bytes were written to the standard error", left[2]);
    require_same_process(&before, &after);
    forget(&before);
    forget(&after);
}
