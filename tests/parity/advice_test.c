/*
 * Files that are not PEM: the message names the format and a command, and what that command writes
 * can be loaded.
 */
#include <stdio.h>
#include <stdlib.h>

#include "spec_support.h"

SPEC_SUITE(advice);

enum { COMMAND_MAX = 1024 };

/* An empty file of the test, whose path stays as it is for a few more. */
static const char *new_path(void) {
    static char paths[4][COMMAND_MAX];
    static unsigned turn;
    char *path = paths[turn++ % COUNT_OF(paths)];
    (void)snprintf(path, COMMAND_MAX, "%s", temporary_file("", 0));
    return path;
}

/* Runs a command in which FILE and NEWFILE stand for files of the test. */
static void run(const char *command, const char *file, const char *new_file, const char *more) {
    char shell[4 * COMMAND_MAX] = "";
    size_t used = 0;
    while (*command != '\0') {
        bool is_new = strncmp(command, "NEWFILE", 7) == 0;
        bool is_file = is_new || strncmp(command, "FILE", 4) == 0;
        char one[] = {*command, '\0'};
        used += (size_t)snprintf(shell + used, sizeof shell - used, "%s",
                                 is_new    ? new_file
                                 : is_file ? file
                                           : one);
        command += is_new ? 7 : is_file ? 4 : 1;
    }
    (void)snprintf(shell + used, sizeof shell - used, "%s 2>/dev/null", more);
    cr_assert_eq(system(shell), 0, "%s", shell);
}

/* Loads a file that is to be refused, follows the advice, and loads what it leads to. */
static void follow(portls_context *context, bool is_key, portls_encoding encoding, const char *file,
                   const char *format, const char *more) {
    char command[COMMAND_MAX];
    const char *new_file = new_path();
    portls_status refused =
        is_key ? portls_load_private_key(context, file, PORTLS_KEY_ANY, encoding, &problem)
               : portls_load_certificate_chain(context, file, &problem);
    cr_assert_eq(refused, is_key ? PORTLS_BAD_KEY : PORTLS_BAD_CERTIFICATE, "%s", problem.message);
    REQUIRE_TEXT(problem.message, format);
    const char *open = strrchr(problem.message, '(');
    const char *end = open == NULL ? NULL : strstr(open, " converts ");
    cr_assert(end != NULL && (size_t)(end - open) < sizeof command, "%s", problem.message);
    memcpy(command, open + 1, (size_t)(end - open - 1));
    command[end - open - 1] = '\0';
    run(command, file, new_file, more);
    REQUIRE_OK(
        is_key ? portls_load_private_key(context, new_file, PORTLS_KEY_ANY, PORTLS_PEM, &problem)
               : portls_load_certificate_chain(context, new_file, &problem));
}

/* A file of the test that a command makes. */
static const char *made_by(const char *command) {
    const char *file = new_path();
    run(command, CERTS("server-p256.chain.pem"), file, "");
    return file;
}

static const char chain_in_utf16[] = "iconv -f UTF-8 -t UTF-16 FILE >NEWFILE";
static const char chain_in_utf16le[] = "iconv -f UTF-8 -t UTF-16LE FILE >NEWFILE";
static const char chain_in_utf16be[] = "iconv -f UTF-8 -t UTF-16BE FILE >NEWFILE";

SPEC(advice, a_chain_in_another_format) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    const struct {
        const char *format, *made, *more;
    } rows[] = {
        {"it is text in UTF-16", chain_in_utf16, ""},
        {"it is text in UTF-16", chain_in_utf16le, ""},
        {"it is text in UTF-16", chain_in_utf16be, ""},
        {"it is PKCS#7", "openssl crl2pkcs7 -nocrl -certfile FILE -out NEWFILE", ""},
        {"it is PKCS#7 in DER", "openssl crl2pkcs7 -nocrl -certfile FILE -outform DER -out NEWFILE",
         ""},
        {"it is DER (ASN.1)", "openssl x509 -in FILE -outform DER -out NEWFILE", ""},
        {"it is PKCS#12",
         "openssl pkcs12 -export -in FILE -inkey " CERTS("server-p256.key") " -certfile " CERTS(
             "server-p256.chain.pem") " -passout pass:x -out NEWFILE",
         " -passin pass:x"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        follow(context, false, PORTLS_PEM, made_by(rows[i].made), rows[i].format, rows[i].more);
        REQUIRE_OK(portls_load_private_key(context, CERTS("server-p256.key"), PORTLS_KEY_ANY,
                                           PORTLS_PEM, &problem));
    }
    portls_free_context(context);
}

SPEC(advice, a_key_in_another_format) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    const char *pkcs12 = made_by("openssl pkcs12 -export -in FILE -inkey " CERTS(
        "server-p256.key") " -passout pass:x -out NEWFILE");
    const char *utf16 = new_path();
    REQUIRE_OK(portls_load_certificate_chain(context, CERTS("server-p256.chain.pem"), &problem));
    follow(context, true, PORTLS_PEM, pkcs12, "it is PKCS#12, and PEM", " -passin pass:x");
    follow(context, true, PORTLS_ASN1, pkcs12, "it is PKCS#12, and a key in DER",
           " -passin pass:x");
    run(chain_in_utf16, CERTS("server-p256.key"), utf16, "");
    follow(context, true, PORTLS_PEM, utf16, "it is text in UTF-16", "");
    REQUIRE_FAILURE(portls_load_private_key(
                        context, made_by("openssl crl2pkcs7 -nocrl -certfile FILE -out NEWFILE"),
                        PORTLS_KEY_ANY, PORTLS_PEM, &problem),
                    PORTLS_BAD_KEY, "");
    REQUIRE_TEXT(problem.message, "it is PKCS#7, which holds no private key");
    portls_free_context(context);
}
