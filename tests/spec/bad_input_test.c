/* Bad input: what is loaded, whom one connects to and where one listens. Each with the message that
   a person reads: it names what is wrong and what would be right. */
#include "spec_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

SPEC_SUITE(bad_input);

/* ---- files (the manual's section 4: "pathname") ---- */

/* The four calls that read a PEM file, on a server context. */
static portls_status load_chain(portls_context *context, const char *path) {
    return portls_load_certificate_chain(context, path, &problem);
}
static portls_status load_key(portls_context *context, const char *path) {
    return portls_load_private_key(context, path, PORTLS_KEY_RSA, PORTLS_PEM, &problem);
}
static portls_status load_roots(portls_context *context, const char *path) {
    return portls_load_verify_root_certificates(context, path, &problem);
}
static portls_status suggest(portls_context *context, const char *path) {
    return portls_load_suggested_certificate_authorities(context, path, &problem);
}

static const struct loader {
    portls_status (*load)(portls_context *context, const char *path);
    bool of_certificates;
    bool of_suggestions;
} loaders[] = {{suggest, true, true},
               {load_chain, true, false},
               {load_key, false, false},
               {load_roots, true, false}};

/* The loaders that this backend has; one that it has not is shown to say so. */
static bool has(const struct loader *loader, portls_context *context) {
    if (!loader->of_suggestions || spec_can(PORTLS_CAN_SUGGESTED_AUTHORITIES)) {
        return true;
    }
    REQUIRE_FAILURE(loader->load(context, ROOT), PORTLS_UNSUPPORTED, "the ");
    return false;
}

static void require_loading_fails(const char *path, portls_status of_certificates,
                                  portls_status of_keys, const char *said_of_certificates,
                                  const char *said_of_keys) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(loaders); i++) {
        if (has(&loaders[i], context)) {
            char message[PORTLS_ERROR_MESSAGE_SIZE];
            bool certificates = loaders[i].of_certificates;
            snprintf(message, sizeof message, "%s: %s", path,
                     certificates ? said_of_certificates : said_of_keys);
            REQUIRE_FAILURE(loaders[i].load(context, path),
                            certificates ? of_certificates : of_keys, message);
        }
    }
    portls_free_context(context);
}

#if PORTLS_HOSTED

SPEC(bad_input, a_missing_file) {
    require_loading_fails("/nonexistent/file.pem", PORTLS_FILE, PORTLS_FILE,
                          "there is no such file or directory",
                          "there is no such file or directory");
    cr_assert_eq(problem.os_errno, ENOENT_OF_DIRECTORY);
    require_loading_fails(PORTLS_TEST_CERTS "/none.pem", PORTLS_FILE, PORTLS_FILE,
                          "there is no such file or directory",
                          "there is no such file or directory");
    cr_assert_eq(problem.os_errno, ENOENT);
    require_loading_fails(TEST_PEM "/below", PORTLS_FILE, PORTLS_FILE, "", "");
    cr_assert_eq(problem.os_errno, ENOTDIR);
}

SPEC(bad_input, no_file_name) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(loaders); i++) {
        if (has(&loaders[i], context)) {
            REQUIRE_FAILURE(loaders[i].load(context, NULL), PORTLS_INVALID_ARGUMENT,
                            "the path is NULL");
            REQUIRE_FAILURE(loaders[i].load(context, ""), PORTLS_FILE, "");
        }
    }
    portls_free_context(context);
}

SPEC(bad_input, a_directory_instead_of_a_file) {
    require_loading_fails(PORTLS_TEST_CERTS, PORTLS_FILE, PORTLS_FILE, "is a directory, not a file",
                          "is a directory, not a file");
}

#endif

SPEC(bad_input, an_empty_file) {
    require_loading_fails(temporary_file("", 0), PORTLS_BAD_CERTIFICATE, PORTLS_BAD_KEY,
                          "it is empty (a PEM block that begins with -----BEGIN CERTIFICATE----- "
                          "was expected)",
                          "it is empty (a PEM block that begins with -----BEGIN PRIVATE KEY-----");
}

SPEC(bad_input, a_file_without_pem) {
    static const char text[] = "Dear reader,\nthis is a letter.\n";
    require_loading_fails(temporary_file(text, sizeof text - 1), PORTLS_BAD_CERTIFICATE,
                          PORTLS_BAD_KEY,
                          "no certificate in it (a PEM block that begins with -----BEGIN "
                          "CERTIFICATE----- was expected)",
                          "no private key in it (a PEM block that begins with -----BEGIN PRIVATE "
                          "KEY-----");
}

/* A key where a certificate is wanted, and a certificate where a key is. */
SPEC(bad_input, pem_of_another_kind) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(load_chain(context, CERTS("server-rsa2048.key")), PORTLS_BAD_CERTIFICATE,
                    CERTS("server-rsa2048.key") ": no certificate in it (a PEM block that");
    REQUIRE_FAILURE(load_roots(context, CERTS("server-rsa2048.key")), PORTLS_BAD_CERTIFICATE,
                    CERTS("server-rsa2048.key") ": no certificate in it (a PEM block that");
    REQUIRE_FAILURE(load_key(context, ROOT), PORTLS_BAD_KEY, ROOT ": no private key in it");
    portls_free_context(context);
}

/* Truncated base64: a certificate whose text breaks off, within a line or before the last. */
SPEC(bad_input, truncated_base64) {
    size_t size;
    char *pem = (char *)read_file(ROOT, &size);
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    char message[PORTLS_ERROR_MESSAGE_SIZE];
    const char *path = temporary_file(pem, size / 2);
    snprintf(message, sizeof message,
             "%s: the PEM block CERTIFICATE that begins in line 1 has no line -----END "
             "CERTIFICATE-----",
             path);
    REQUIRE_FAILURE(load_chain(context, path), PORTLS_BAD_CERTIFICATE, message);
    cr_assert_str_eq(problem.message, message);
    REQUIRE_FAILURE(load_roots(context, path), PORTLS_BAD_CERTIFICATE, message);

    /* The end line is there, but one character before it is gone, or a whole line. */
    char *end = strstr(pem, "-----END");
    cr_assert(end != NULL);
    size_t tail = size - (size_t)(end - pem);
    static const size_t missing[] = {2, 65};
    for (size_t i = 0; i < COUNT_OF(missing); i++) {
        char *cut = malloc(size);
        cr_assert(cut != NULL, "no memory");
        size_t front = (size_t)(end - pem) - missing[i];
        memcpy(cut, pem, front);
        cut[front] = '\n';
        memcpy(cut + front + 1, end, tail);
        REQUIRE_FAILURE(
            portls_load_certificate_chain_data(context, cut, front + 1 + tail, &problem),
            PORTLS_BAD_CERTIFICATE, "the certificate data: ");
        free(cut);
    }
    portls_free_context(context);
    free(pem);
}

SPEC(bad_input, characters_that_are_no_base64) {
    static const char text[] = "-----BEGIN CERTIFICATE-----\nMIIB%\n-----END CERTIFICATE-----\n";
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(
        portls_load_certificate_chain_data(context, text, sizeof text - 1, &problem),
        PORTLS_BAD_CERTIFICATE,
        "the certificate data: the PEM block CERTIFICATE that begins in line 1 has a character");
    portls_free_context(context);
}

SPEC(bad_input, base64_that_is_no_certificate) {
    static const char text[] = "-----BEGIN CERTIFICATE-----\nMAAwAA==\n-----END CERTIFICATE-----\n";
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(portls_load_certificate_chain_data(context, text, sizeof text - 1, &problem),
                    PORTLS_BAD_CERTIFICATE,
                    "the certificate data: certificate 1, in line 1, is not the DER of a "
                    "certificate");
    portls_free_context(context);
}

SPEC(bad_input, no_bytes_in_memory) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(portls_load_certificate_chain_data(context, NULL, 5, &problem),
                    PORTLS_INVALID_ARGUMENT, "the certificate data is NULL");
    REQUIRE_FAILURE(portls_load_certificate_chain_data(context, NULL, 0, &problem),
                    PORTLS_BAD_CERTIFICATE, "the certificate data: it is empty");
    REQUIRE_STATUS(
        portls_load_private_key_data(context, NULL, 5, PORTLS_KEY_ANY, PORTLS_PEM, &problem),
        PORTLS_INVALID_ARGUMENT);
    portls_free_context(context);
}

/* A key of another certificate, RSA and EC, with the message that a person reads. */
SPEC(bad_input, a_key_of_another_certificate) {
    static const struct {
        const char *chain, *key, *name;
    } rows[] = {
        {CERTS("server-rsa2048.chain.pem"), CERTS("wildcard.key"), "RSA"},
        {CERTS("server-p256.chain.pem"), CERTS("client-p256.key"), "EC on the same curve"},
        {CERTS("server-p256.chain.pem"), CERTS("server-rsa2048.key"), "RSA for EC"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
        char message[PORTLS_ERROR_MESSAGE_SIZE];
        REQUIRE_OK(portls_load_certificate_chain(context, rows[i].chain, &problem));
        snprintf(message, sizeof message, "%s: the private key does not belong to the certificate",
                 rows[i].key);
        REQUIRE_FAILURE(
            portls_load_private_key(context, rows[i].key, PORTLS_KEY_ANY, PORTLS_PEM, &problem),
            PORTLS_KEY_MISMATCH, message);
        portls_free_context(context);
    }
}

/* An encrypted key, in every form: an error, and nothing ever prompts. */
SPEC(bad_input, an_encrypted_key) {
    static const struct {
        const char *path;
        portls_key_kind kind;
        portls_encoding encoding;
        const char *message;
    } rows[] = {
        {CERTS("rsa.encrypted-pkcs8.key"), PORTLS_KEY_RSA, PORTLS_PEM,
         ": the private key in line 1 is encrypted, so that its kind cannot be told, and nothing "
         "asks for a password (decrypt it with: openssl pkey -in FILE -out NEWFILE)"},
        {CERTS("rsa.encrypted-traditional.key"), PORTLS_KEY_RSA, PORTLS_PEM,
         ": the private key in line 1 is encrypted, and nothing asks for a password (decrypt it "
         "with: openssl pkey -in FILE -out NEWFILE)"},
        {CERTS("ec.encrypted-pkcs8.key"), PORTLS_KEY_ANY, PORTLS_PEM,
         ": the private key in line 1 is encrypted, and nothing asks for a password"},
        {CERTS("ec.encrypted-traditional.key"), PORTLS_KEY_ANY, PORTLS_PEM,
         ": the private key in line 1 is encrypted, and nothing asks for a password"},
        {CERTS("rsa.encrypted-pkcs8.der"), PORTLS_KEY_RSA, PORTLS_ASN1,
         ": the private key is encrypted, so that its kind cannot be told, and nothing asks for a "
         "password (decrypt it with: openssl pkey -inform DER -outform DER -in FILE -out "
         "NEWFILE)"},
        {CERTS("ec.encrypted-pkcs8.der"), PORTLS_KEY_ANY, PORTLS_ASN1,
         ": the private key is encrypted, and nothing asks for a password"},
        {CERTS("encrypted-pkcs8-then-rsa.key"), PORTLS_KEY_RSA, PORTLS_PEM,
         ": the private key in line 1 is encrypted, so that its kind cannot be told"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
        char message[PORTLS_ERROR_MESSAGE_SIZE];
        snprintf(message, sizeof message, "%s%s", rows[i].path, rows[i].message);
        REQUIRE_FAILURE(portls_load_private_key(context, rows[i].path, rows[i].kind,
                                                rows[i].encoding, &problem),
                        PORTLS_KEY_ENCRYPTED, message);
        portls_free_context(context);
    }
}

/* An encrypted EC key is skipped when an RSA key is wanted: its kind can be told. */
SPEC(bad_input, an_encrypted_key_of_another_kind_is_skipped) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_load_certificate_chain(context, CERTS("server-rsa2048.chain.pem"), &problem));
    REQUIRE_OK(load_key(context, CERTS("encrypted-ec-then-rsa.key")));
    portls_free_context(context);
}

SPEC(bad_input, a_kind_and_an_encoding_that_are_none) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_FAILURE(
        portls_load_private_key(context, TEST_PEM, (portls_key_kind)7, PORTLS_PEM, &problem),
        PORTLS_INVALID_ARGUMENT, "7 is no key kind: use PORTLS_KEY_RSA or PORTLS_KEY_ANY");
    REQUIRE_FAILURE(
        portls_load_private_key(context, TEST_PEM, PORTLS_KEY_RSA, (portls_encoding)7, &problem),
        PORTLS_INVALID_ARGUMENT, "7 is no encoding: use PORTLS_PEM or PORTLS_ASN1");
    portls_free_context(context);
}

/* What failed to load leaves the context as it was. */
SPEC(bad_input, a_context_stays_as_it_was) {
    portls_context *context = test_server_context();
    portls_wrap_options server = PORTLS_WRAP_OPTIONS_INIT;
    struct link link;
    REQUIRE_STATUS(load_chain(context, "/nonexistent"), PORTLS_FILE);
    REQUIRE_STATUS(load_chain(context, CERTS("server-rsa2048.key")), PORTLS_BAD_CERTIFICATE);
    REQUIRE_STATUS(load_key(context, CERTS("server-rsa2048.key")), PORTLS_KEY_MISMATCH);
    REQUIRE_STATUS(load_key(context, CERTS("rsa.encrypted-pkcs8.key")), PORTLS_KEY_ENCRYPTED);
    REQUIRE_STATUS(load_roots(context, CERTS("server-rsa2048.key")), PORTLS_BAD_CERTIFICATE);
    server.context = context;
    link_open_well(&link, wide_pipes, NULL, &server);
    link_close(&link);
    portls_free_context(context);
}

/* An error object is no must: every call takes NULL. */
SPEC(bad_input, errors_may_go_unread) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    portls_input_port *in;
    portls_output_port *out;
    cr_assert_eq(portls_load_certificate_chain(context, "/nonexistent", NULL), PORTLS_FILE);
#if PORTLS_HOSTED
    cr_assert_eq(portls_connect("nonexistent.invalid", 1,
                                portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                                NULL),
                 PORTLS_RESOLVE);
#endif
    cr_assert_eq(portls_make_pipe(0, &in, &out, NULL), PORTLS_INVALID_ARGUMENT);
    portls_free_context(context);
}

#if PORTLS_HOSTED

/* A message that does not fit is cut, and is a string all the same. */
SPEC(bad_input, a_message_too_long_is_cut) {
    portls_context *context = server_context(PORTLS_AUTO, NULL, NULL);
    char path[2000];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    REQUIRE_FAILURE(load_chain(context, path), PORTLS_FILE, "xxxx");
    cr_assert(strlen(problem.message) < sizeof problem.message);
    portls_free_context(context);
}

#endif
