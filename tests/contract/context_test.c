/* The verb context: what settings compile, and with what error the others are refused. */
#include "contract_support.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(context, .init = support_begin, .fini = support_end);

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const portls_role roles[] = {PORTLS_CLIENT, PORTLS_SERVER};

/* Compiles settings that must be refused. The error is returned for a closer look. */
static portls_error expect_refused(const struct backend_settings *settings, portls_status status) {
    portls_error error = no_error();
    struct backend_context *context = NULL;
    portls_status got = portls_backend.context_new(settings, &context, &error);
    cr_assert_eq(got, status, "status %d, not %d: %s", (int)got, (int)status, error.message);
    expect_error(&error, status);
    return error;
}

Test(context, every_form_of_a_key_serves) {
    static const struct {
        const char *chain, *key;
        enum backend_key_format format;
    } forms[] = {
        {"server-rsa2048", "rsa.pkcs1.der", BACKEND_KEY_PKCS1},
        {"server-rsa2048", "rsa.pkcs8.der", BACKEND_KEY_PKCS8},
        {"server-p256", "ec.sec1.der", BACKEND_KEY_SEC1},
        {"server-p256", "ec.pkcs8.der", BACKEND_KEY_PKCS8},
        {"server-ed25519", "ed25519.pkcs8.der", BACKEND_KEY_PKCS8},
    };
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    struct backend_context *client_context = make_context(&client);
    for (size_t i = 0; i < COUNT(forms); i++) {
        if (strcmp(forms[i].chain, "server-ed25519") == 0 &&
            (portls_backend.capabilities() & PORTLS_CAN_ED25519) == 0) {
            continue;
        }
        struct backend_settings server = plain_settings(PORTLS_SERVER);
        add_identity(&server, forms[i].chain);
        server.key = load_file(forms[i].key);
        server.key_format = forms[i].format;
        struct pair pair;
        pair_connect(&pair, client_context, make_context(&server), WHOLE);
        pair_end(&pair);
    }
}

Test(context, a_key_of_another_certificate_is_a_mismatch) {
    /* RSA and RSA, EC and EC on one curve and on two, and all that is mixed. */
    static const struct {
        const char *chain, *key;
    } wrong[] = {
        {"server-rsa2048", "client-rsa2048.key"}, {"server-rsa2048", "server-rsa3072.key"},
        {"server-p256", "client-p256.key"},       {"server-p256", "server-p384.key"},
        {"server-rsa2048", "server-p256.key"},    {"server-p256", "server-rsa2048.key"},
        {"server-p256", "server-ed25519.key"},    {"server-ed25519", "server-p256.key"},
        {"server-rsa2048", "intermediate.key"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        bool ed25519 = strstr(wrong[i].chain, "ed25519") || strstr(wrong[i].key, "ed25519");
        if (ed25519 && (portls_backend.capabilities() & PORTLS_CAN_ED25519) == 0) {
            continue;
        }
        for (size_t role = 0; role < COUNT(roles); role++) {
            struct backend_settings settings = plain_settings(roles[role]);
            add_identity(&settings, wrong[i].chain);
            settings.key = load_pem(wrong[i].key, "PRIVATE KEY").blobs[0];
            portls_error error = expect_refused(&settings, PORTLS_KEY_MISMATCH);
            cr_assert_not_null(strstr(error.message, "does not belong to the certificate"), "%s",
                               error.message);
        }
    }
}

Test(context, a_chain_without_a_key_and_a_key_without_a_chain_compile) {
    for (size_t role = 0; role < COUNT(roles); role++) {
        struct backend_settings settings = plain_settings(roles[role]);
        add_identity(&settings, "server-p256");
        struct backend_settings chain_only = settings;
        chain_only.key_format = BACKEND_KEY_NONE;
        chain_only.key = (struct backend_blob){NULL, 0};
        (void)make_context(&chain_only);
        struct backend_settings key_only = settings;
        key_only.chain = NULL;
        key_only.chain_count = 0;
        (void)make_context(&key_only);
    }
}

Test(context, a_client_with_half_an_identity_shows_none) {
    for (const uint16_t *version = versions(); *version != 0; version++) {
        struct backend_settings client = plain_settings(PORTLS_CLIENT);
        struct backend_settings server = plain_settings(PORTLS_SERVER);
        only_version(&server, *version);
        add_identity(&client, "client-p256");
        client.key_format = BACKEND_KEY_NONE;
        client.key = (struct backend_blob){NULL, 0};
        add_identity(&server, "server-p256");
        add_verification(&server, "root.pem");
        struct pair pair;
        pair_begin(&pair, make_context(&client), make_context(&server), NULL, WHOLE);
        pair_handshake(&pair);
        cr_assert_eq(pair.server.status, PORTLS_VERIFY, "%s", pair.server.error.message);
        cr_assert_eq(pair.server.error.verify_reason, PORTLS_VERIFY_NO_CERTIFICATE);
        pair_end(&pair);
    }
}

Test(context, a_damaged_key_is_refused_also_alone) {
    static const struct {
        const char *file;
        enum backend_key_format format;
    } keys[] = {
        {"rsa.pkcs1.der", BACKEND_KEY_PKCS1},
        {"rsa.pkcs8.der", BACKEND_KEY_PKCS8},
        {"ec.sec1.der", BACKEND_KEY_SEC1},
        {"ec.pkcs8.der", BACKEND_KEY_PKCS8},
    };
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct backend_settings settings = plain_settings(PORTLS_SERVER);
        struct backend_blob whole = load_file(keys[i].file);
        settings.key_format = keys[i].format;
        settings.key = whole;
        settings.key.size = whole.size / 2;
        (void)expect_refused(&settings, PORTLS_BAD_KEY);
        /* The tag of the first thing in the outer SEQUENCE. */
        uint8_t *inside = (uint8_t *)whole.bytes;
        inside[(inside[1] & 0x80) != 0 ? 2 + (inside[1] & 0x7f) : 2] ^= 0x55;
        settings.key = whole;
        (void)expect_refused(&settings, PORTLS_BAD_KEY);
    }
}

Test(context, an_encrypted_key_is_refused_and_nobody_is_asked) {
    struct backend_settings settings = plain_settings(PORTLS_SERVER);
    add_identity(&settings, "server-rsa2048");
    settings.key = load_file("rsa.encrypted-pkcs8.der");
    (void)expect_refused(&settings, PORTLS_BAD_KEY);
}

Test(context, a_bad_certificate_is_named_by_its_list_and_place) {
    static const uint8_t nonsense[] = {0x30, 0x06, 0x30, 0x00, 0x30, 0x00, 0x03, 0x00};
    struct der_list list = load_pem("server-rsa2048.chain.pem", "CERTIFICATE");
    list.blobs[1] = (struct backend_blob){nonsense, sizeof nonsense};
    struct backend_settings chain = plain_settings(PORTLS_SERVER);
    chain.chain = list.blobs;
    chain.chain_count = list.count;
    struct backend_settings authorities = plain_settings(PORTLS_SERVER);
    authorities.authorities = list.blobs;
    authorities.authorities_count = list.count;
    const struct {
        const struct backend_settings *settings;
        const char *name;
        bool possible;
    } cases[] = {
        {&chain, "chain", true},
        {&authorities, "authorities",
         (portls_backend.capabilities() & PORTLS_CAN_SUGGESTED_AUTHORITIES) != 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].possible) {
            portls_error error = expect_refused(cases[i].settings, PORTLS_BAD_CERTIFICATE);
            cr_assert(strstr(error.message, cases[i].name) && strchr(error.message, '2'), "%s",
                      error.message);
        }
    }
    portls_error error = no_error();
    struct backend_trust *trust = NULL;
    cr_assert_eq(portls_backend.trust_new(list.blobs, list.count, &trust, &error),
                 PORTLS_BAD_CERTIFICATE);
    expect_error(&error, PORTLS_BAD_CERTIFICATE);
    cr_assert(strstr(error.message, "roots") && strchr(error.message, '2'), "%s", error.message);
    cr_assert_null(trust);
}

Test(context, a_context_keeps_nothing_of_its_settings) {
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    add_identity(&server, "server-p256");
    struct der_list roots = load_pem("root.pem", "CERTIFICATE");
    client.verify = true;
    client.trust = make_trust(&roots);
    struct backend_context *server_context = make_context(&server);
    struct backend_context *client_context = make_context(&client);
    memset((void *)server.key.bytes, 0, server.key.size);
    memset((void *)server.chain[0].bytes, 0, server.chain[0].size);
    memset((void *)roots.blobs[0].bytes, 0, roots.blobs[0].size);
    char host[] = "localhost";
    char name[] = "server.portls.test";
    const struct backend_session_options options = {.server_name = name, .verify_host = host};
    struct pair pair;
    pair_begin(&pair, client_context, server_context, &options, WHOLE);
    memset(host, 'x', sizeof host - 1);
    memset(name, 'x', sizeof name - 1);
    pair_handshake(&pair);
    cr_assert_eq(pair.client.status, PORTLS_OK, "%s", pair.client.error.message);
    struct backend_facts info = {.protocol = NULL};
    portls_backend.describe(pair.server.session, &info);
    cr_assert_str_eq(info.server_name, "server.portls.test");
    pair_end(&pair);
}

Test(context, one_context_serves_many_sessions_at_once) {
    struct backend_settings server = plain_settings(PORTLS_SERVER);
    struct backend_settings client = plain_settings(PORTLS_CLIENT);
    add_identity(&server, "server-p256");
    struct backend_context *server_context = make_context(&server);
    struct backend_context *client_context = make_context(&client);
    struct pair pairs[20];
    for (size_t i = 0; i < COUNT(pairs); i++) {
        pair_begin(&pairs[i], client_context, server_context, NULL, WHOLE);
    }
    for (size_t i = 0; i < COUNT(pairs); i++) {
        pair_handshake(&pairs[i]);
        cr_assert_eq(pairs[i].client.status, PORTLS_OK, "%s", pairs[i].client.error.message);
        cr_assert_eq(pairs[i].server.status, PORTLS_OK, "%s", pairs[i].server.error.message);
    }
    for (size_t i = 0; i < COUNT(pairs); i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "session %zu", i);
        write_all(&pairs[i].client, text, strlen(text));
    }
    for (size_t i = 0; i < COUNT(pairs); i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "session %zu", i);
        expect_text(&pairs[i].server, text);
        pair_end(&pairs[i]);
    }
}
