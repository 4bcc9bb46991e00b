/*
 * Nothing ever asks for a password (design, 5.6): encrypted keys are loaded by a process with a
 * terminal attached, at which the right password was typed before. Nothing may be written to the
 * terminal, nothing read from it, and no key may come out. The libraries by themselves ask there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "parity_support.h"

SPEC_SUITE(terminal);

/* The password of the keys (certs/README.md), more than once. */
static const char typed[] = "portls\nportls\nportls\n";

/* How long the process may take. */
enum { TRIES_SECONDS = 60 };

/* What the process writes to its terminal when all keys were tried: it has to be the first. */
static const char last_words[] = "the end";

static const struct {
    const char *key, *chain;
    portls_key_kind kind;
    portls_encoding encoding;
} keys[] = {
    {CERTS("rsa.encrypted-pkcs8.key"), CERTS("server-rsa2048.pem"), PORTLS_KEY_RSA, PORTLS_PEM},
    {CERTS("rsa.encrypted-pkcs8.key"), CERTS("server-rsa2048.pem"), PORTLS_KEY_ANY, PORTLS_PEM},
    {CERTS("rsa.encrypted-pkcs8.der"), CERTS("server-rsa2048.pem"), PORTLS_KEY_RSA, PORTLS_ASN1},
    {CERTS("rsa.encrypted-traditional.key"), CERTS("server-rsa2048.pem"), PORTLS_KEY_RSA,
     PORTLS_PEM},
    {CERTS("ec.encrypted-pkcs8.key"), CERTS("server-p256.pem"), PORTLS_KEY_ANY, PORTLS_PEM},
    {CERTS("ec.encrypted-pkcs8.der"), CERTS("server-p256.pem"), PORTLS_KEY_ANY, PORTLS_ASN1},
    {CERTS("ec.encrypted-traditional.key"), CERTS("server-p256.pem"), PORTLS_KEY_ANY, PORTLS_PEM},
    {CERTS("encrypted-pkcs8-then-rsa.key"), CERTS("server-rsa2048.pem"), PORTLS_KEY_RSA,
     PORTLS_PEM},
};

/* What the process with the terminal has found, told through a pipe. No check may be made there. */
struct finding {
    bool attached;
    unsigned tried;
    int wrong; /* the number of the key that was not refused as it should, or -1 */
    portls_status wrong_status;
    int unread; /* bytes that are still waiting at the terminal */
    bool same_settings;
};

/* ---- the process with the terminal ---- */

static void note(struct finding *finding, size_t key, portls_status status,
                 const portls_error *error) {
    bool right = status == PORTLS_KEY_ENCRYPTED && error->status == PORTLS_KEY_ENCRYPTED &&
                 error->message[0] != '\0';
    finding->tried++;
    if (!right && finding->wrong < 0) {
        finding->wrong = (int)key;
        finding->wrong_status = status;
    }
}

/* From a file and from memory, before and after the certificate, for a client and a server. */
static void try_key(struct finding *finding, size_t key, portls_context *context) {
    static uint8_t bytes[65536];
    portls_error error;
    FILE *file = fopen(keys[key].key, "rb");
    size_t size = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
    if (file != NULL) {
        fclose(file);
    }
    for (int with_chain = 0; with_chain < 2; with_chain++) {
        note(finding, key,
             portls_load_private_key(context, keys[key].key, keys[key].kind, keys[key].encoding,
                                     &error),
             &error);
        note(finding, key,
             portls_load_private_key_data(context, bytes, size, keys[key].kind, keys[key].encoding,
                                          &error),
             &error);
        ignore(portls_load_certificate_chain(context, keys[key].chain, NULL));
    }
    if (keys[key].encoding == PORTLS_PEM) {
        note(finding, key, portls_load_identity(context, keys[key].chain, keys[key].key, &error),
             &error);
    }
}

static void try_all_keys(struct finding *finding) {
    for (size_t key = 0; key < COUNT_OF(keys); key++) {
        portls_context *client = NULL;
        portls_context *server = NULL;
        ignore(portls_make_client_context(PORTLS_AUTO, &client, NULL));
        ignore(portls_make_server_context(PORTLS_AUTO, &server, NULL));
        try_key(finding, key, client);
        try_key(finding, key, server);
        portls_free_context(client);
        portls_free_context(server);
    }
}

/* Makes the terminal this process's own and its three standard descriptors. */
static bool attach(const char *name) {
    setsid();
    int terminal = open(name, O_RDWR);
    if (terminal < 0) {
        return false;
    }
    (void)ioctl(terminal, TIOCSCTTY, 0);
    for (int descriptor = 0; descriptor < 3; descriptor++) {
        dup2(terminal, descriptor);
    }
    int control = open("/dev/tty", O_RDWR);
    return control >= 0 && close(control) == 0;
}

static void live_at_terminal(const char *name, int report) {
    struct finding finding = {.wrong = -1};
    struct termios before, after;
    /* A library that asks more often than was typed would wait for ever. */
    alarm(TRIES_SECONDS);
    finding.attached = attach(name) && isatty(0) == 1;
    (void)tcgetattr(0, &before);
    try_all_keys(&finding);
    (void)tcgetattr(0, &after);
    finding.same_settings = before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag &&
                            before.c_oflag == after.c_oflag;
    (void)ioctl(0, FIONREAD, &finding.unread);
    bool told = write(report, &finding, sizeof finding) == (ssize_t)sizeof finding &&
                write(1, last_words, strlen(last_words)) == (ssize_t)strlen(last_words);
    _exit(told ? 0 : 1);
}

/* ---- the process that watches ---- */

/*
 * What is typed reaches the program's side through a thread of the kernel's, some time after the
 * write: until then the program would find nothing there to read, and neither would this test.
 */
static void await_typed(int program_side) {
    int there = 0;
    while (there < (int)strlen(typed)) {
        struct pollfd line = {.fd = program_side, .events = POLLIN};
        cr_assert_eq(poll(&line, 1, TRIES_SECONDS * 1000), 1, "what was typed did not arrive");
        cr_assert(ioctl(program_side, FIONREAD, &there) == 0);
    }
}

/* A terminal that shows nothing of what is typed; the side of the program is kept open too. */
static int make_terminal(int *program_side) {
    struct termios settings;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0, "no terminal");
    *program_side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    cr_assert(*program_side >= 0 && tcgetattr(*program_side, &settings) == 0);
    settings.c_lflag &= ~(tcflag_t)ECHO;
    cr_assert(tcsetattr(*program_side, TCSANOW, &settings) == 0);
    cr_assert(write(terminal, typed, strlen(typed)) == (ssize_t)strlen(typed));
    await_typed(*program_side);
    return terminal;
}

/* What was written to the terminal until now. */
static size_t read_terminal(int terminal, char *text, size_t room) {
    size_t size = 0;
    ssize_t got;
    cr_assert(fcntl(terminal, F_SETFL, O_NONBLOCK) == 0);
    while (size < room && (got = read(terminal, text + size, room - size)) > 0) {
        size += (size_t)got;
    }
    return size;
}

SPEC(terminal, encrypted_keys_ask_for_nothing) {
    struct finding finding;
    char written[1000];
    int report[2], program_side, exit_status;
    int terminal = make_terminal(&program_side);
    const char *name = ptsname(terminal);
    cr_assert(pipe(report) == 0);
    pid_t child = fork();
    if (child == 0) {
        live_at_terminal(name, report[1]);
    }
    cr_assert(child > 0 && close(report[1]) == 0);
    cr_assert(read(report[0], &finding, sizeof finding) == (ssize_t)sizeof finding,
              "the process with the terminal told nothing");
    cr_assert(waitpid(child, &exit_status, 0) == child && exit_status == 0);
    size_t size = read_terminal(terminal, written, sizeof written);
    cr_assert(close(report[0]) == 0 && close(program_side) == 0 && close(terminal) == 0);

    cr_assert(finding.attached, "the process had no terminal");
    cr_assert(finding.wrong < 0, "%s: %s", keys[finding.wrong].key,
              portls_status_name(finding.wrong_status));
    cr_assert(finding.tried >= 8 * COUNT_OF(keys), "only %u loads were tried", finding.tried);
    cr_assert(finding.same_settings, "the terminal's settings were changed");
    cr_assert_eq(finding.unread, (int)strlen(typed), "of what was typed %d bytes are left",
                 finding.unread);
    cr_assert(size == strlen(last_words) && memcmp(written, last_words, size) == 0,
              "to the terminal was written \"%.*s\"", (int)size, written);
}
