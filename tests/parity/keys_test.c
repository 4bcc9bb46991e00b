/*
 * Keys (design, 5.6) where the libraries differ: an EC key of the right curve that is another one
 * (wolfSSL takes it), DER (libtls reads PEM only), and the first RSA key of several (none has it).
 * tests/spec/context_test.c has the rest.
 */
#include <stdio.h>
#include <stdlib.h>

#include "parity_support.h"

SPEC_SUITE(keys);

/* A handshake with this server context, in each protocol the backend speaks, and the certificate
   that the client sees. */
static void require_serves(portls_context *server, const char *root) {
    static const portls_protocol protocols[] = {PORTLS_TLS12, PORTLS_TLS13};
    for (size_t i = 0; i < COUNT_OF(protocols); i++) {
        if (!is_spoken(&spoken[i])) {
            continue;
        }
        struct both_options options = {PORTLS_WRAP_OPTIONS_INIT, PORTLS_WRAP_OPTIONS_INIT};
        struct wire wire;
        options.client.mode = PORTLS_MODE_CONNECT;
        options.client.context = client_context(protocols[i], NULL, root);
        options.server.context = server;
        wire_open_well(&wire, &options);
        wire_abandon(&wire);
        portls_free_context(options.client.context);
    }
}

/* Every other P-256 key there is, as PEM and as DER, from a file and from memory. */
SPEC(keys, another_key_of_the_same_curve_is_refused) {
    static const char *const others[] = {"client-p256", "verify/row",   "verify/authority",
                                         "verify/sub",  "verify/ended", "verify/inside"};
    portls_context *server = server_context(PORTLS_AUTO, "server-p256", NULL);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        char path[512];
        size_t size;
        snprintf(path, sizeof path, CERTS("%s.key"), others[i]);
        uint8_t *bytes = read_file(path, &size);
        REQUIRE_FAILURE(portls_load_private_key(server, path, PORTLS_KEY_ANY, PORTLS_PEM, &problem),
                        PORTLS_KEY_MISMATCH, "");
        REQUIRE_FAILURE(
            portls_load_private_key_data(server, bytes, size, PORTLS_KEY_ANY, PORTLS_PEM, &problem),
            PORTLS_KEY_MISMATCH, "");
        REQUIRE_FAILURE(
            portls_load_identity(server, CERTS("server-p256.chain.pem"), path, &problem),
            PORTLS_KEY_MISMATCH, "");
        free(bytes);
    }
    require_serves(server, ROOT);
    portls_free_context(server);
}

SPEC(keys, another_key_of_the_same_curve_is_refused_as_der) {
    static const char *const keys[] = {CERTS("ec.sec1.der"), CERTS("ec.pkcs8.der")};
    portls_context *client = client_context(PORTLS_AUTO, "client-p256", NULL);
    portls_context *server = server_context(PORTLS_AUTO, "verify/good", NULL);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        REQUIRE_FAILURE(
            portls_load_private_key(client, keys[i], PORTLS_KEY_ANY, PORTLS_ASN1, &problem),
            PORTLS_KEY_MISMATCH, "");
        REQUIRE_FAILURE(
            portls_load_private_key(server, keys[i], PORTLS_KEY_ANY, PORTLS_ASN1, &problem),
            PORTLS_KEY_MISMATCH, "");
    }
    require_serves(server, ROOT);
    portls_free_context(client);
    portls_free_context(server);
}

/* Each form of DER serves in a handshake, with verification, in each protocol. */
SPEC(keys, every_form_of_der_serves) {
    static const struct {
        const char *chain, *key;
        portls_key_kind kind;
    } rows[] = {
        {CERTS("server-rsa2048.chain.pem"), CERTS("rsa.pkcs1.der"), PORTLS_KEY_RSA},
        {CERTS("server-rsa2048.chain.pem"), CERTS("rsa.pkcs1.der"), PORTLS_KEY_ANY},
        {CERTS("server-rsa2048.chain.pem"), CERTS("rsa.pkcs8.der"), PORTLS_KEY_RSA},
        {CERTS("server-rsa2048.chain.pem"), CERTS("rsa.pkcs8.der"), PORTLS_KEY_ANY},
        {CERTS("server-p256.chain.pem"), CERTS("ec.sec1.der"), PORTLS_KEY_ANY},
        {CERTS("server-p256.chain.pem"), CERTS("ec.pkcs8.der"), PORTLS_KEY_ANY},
    };
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        portls_context *server = server_context(PORTLS_AUTO, NULL, NULL);
        size_t size;
        uint8_t *bytes = read_file(rows[i / 2].key, &size);
        if (i % 2 == 0) { /* the chain first and the key from a file, or the other way round */
            REQUIRE_OK(portls_load_certificate_chain(server, rows[i / 2].chain, &problem));
            REQUIRE_OK(portls_load_private_key(server, rows[i / 2].key, rows[i / 2].kind,
                                               PORTLS_ASN1, &problem));
        } else {
            REQUIRE_OK(portls_load_private_key_data(server, bytes, size, rows[i / 2].kind,
                                                    PORTLS_ASN1, &problem));
            REQUIRE_OK(portls_load_certificate_chain(server, rows[i / 2].chain, &problem));
        }
        require_serves(server, ROOT);
        portls_free_context(server);
        free(bytes);
    }
}

/* Ed25519 as PKCS#8 DER serves where the capability says so, and is refused with words elsewhere.
 */
SPEC(keys, ed25519_as_der_is_as_the_capability_says) {
    portls_context *server = server_context(PORTLS_AUTO, NULL, NULL);
    bool can = spec_can(PORTLS_CAN_ED25519);
    portls_status of_chain =
        portls_load_certificate_chain(server, CERTS("server-ed25519.chain.pem"), &problem);
    portls_status of_key = portls_load_private_key(server, CERTS("ed25519.pkcs8.der"),
                                                   PORTLS_KEY_ANY, PORTLS_ASN1, &problem);
    if (can) {
        cr_assert_eq(of_chain, PORTLS_OK);
        cr_assert_eq(of_key, PORTLS_OK, "%s", problem.message);
        require_serves(server, ROOT);
    } else {
        cr_assert(of_chain != PORTLS_OK || of_key != PORTLS_OK);
        REQUIRE_ERROR(&problem, problem.status, "");
    }
    portls_free_context(server);
}

/* The first RSA key behind others, in every form of PEM, from memory: it is the one that serves. */
SPEC(keys, the_first_rsa_key_serves) {
    static const char *const files[] = {
        CERTS("ec-then-rsa.key"), CERTS("ec-then-rsa.traditional.key"),
        CERTS("parameters-ec-then-rsa.key"), CERTS("encrypted-ec-then-rsa.key")};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        portls_context *server = server_context(PORTLS_AUTO, NULL, NULL);
        size_t size;
        uint8_t *bytes = read_file(files[i], &size);
        REQUIRE_OK(
            portls_load_certificate_chain(server, CERTS("server-rsa2048.chain.pem"), &problem));
        REQUIRE_OK(portls_load_private_key_data(server, bytes, size, PORTLS_KEY_RSA, PORTLS_PEM,
                                                &problem));
        require_serves(server, ROOT);
        portls_free_context(server);
        free(bytes);
    }
}

/* The first of two RSA keys, not the one that fits. */
SPEC(keys, the_first_of_two_rsa_keys_is_taken) {
    size_t first_size, second_size;
    uint8_t *first = read_file(CERTS("server-rsa2048.key"), &first_size);
    uint8_t *second = read_file(CERTS("server-rsa3072.key"), &second_size);
    uint8_t *both = malloc(first_size + second_size);
    cr_assert(both != NULL, "no memory");
    memcpy(both, first, first_size);
    memcpy(both + first_size, second, second_size);
    portls_context *server = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_load_certificate_chain(server, CERTS("server-rsa3072.chain.pem"), &problem));
    REQUIRE_FAILURE(portls_load_private_key_data(server, both, first_size + second_size,
                                                 PORTLS_KEY_RSA, PORTLS_PEM, &problem),
                    PORTLS_KEY_MISMATCH, "");
    portls_free_context(server);
    server = server_context(PORTLS_AUTO, NULL, NULL);
    REQUIRE_OK(portls_load_certificate_chain(server, CERTS("server-rsa2048.chain.pem"), &problem));
    REQUIRE_OK(portls_load_private_key_data(server, both, first_size + second_size, PORTLS_KEY_RSA,
                                            PORTLS_PEM, &problem));
    require_serves(server, ROOT);
    portls_free_context(server);
    free(first);
    free(second);
    free(both);
}
