/* The own certificate chain and key. libtls parses them only when it configures a server or
   connects a client; a server object that is never used tells what it makes of them. */
#include <string.h>

#include "backends/libtls/libtls.h"

static const char *key_label(enum backend_key_format format) {
    return format == BACKEND_KEY_PKCS1  ? "RSA PRIVATE KEY"
           : format == BACKEND_KEY_SEC1 ? "EC PRIVATE KEY"
                                        : "PRIVATE KEY";
}

bool identity_install(struct tls_config *config, const struct backend_settings *settings) {
    struct pem chain = {NULL, 0};
    struct pem key = {NULL, 0};
    bool installed = true;
    if (settings->chain_count > 0) {
        installed = pem_encode("CERTIFICATE", settings->chain, settings->chain_count, &chain) &&
                    tls_config_set_cert_mem(config, chain.bytes, chain.size) == 0;
    }
    if (installed && settings->key_format != BACKEND_KEY_NONE) {
        installed = pem_encode(key_label(settings->key_format), &settings->key, 1, &key) &&
                    tls_config_set_key_mem(config, key.bytes, key.size) == 0;
    }
    pem_free(&chain);
    pem_free(&key);
    return installed;
}

/* What libtls makes of an identity. */
enum verdict { USABLE, NO_MEMORY, BAD_CHAIN, UNREADABLE_KEY, UNUSABLE_KEY, NO_PAIR };

static enum verdict verdict_of(const char *text) {
    static const struct {
        const char *text;
        enum verdict verdict;
    } known[] = {
        {"failed to read private key", UNREADABLE_KEY},
        {"failed to load private key", UNUSABLE_KEY},
        {"private/public key mismatch", NO_PAIR},
    };
    for (size_t i = 0; text != NULL && i < sizeof known / sizeof *known; i++) {
        if (strstr(text, known[i].text) != NULL) {
            return known[i].verdict;
        }
    }
    return text == NULL || strstr(text, "out of memory") != NULL ? NO_MEMORY : BAD_CHAIN;
}

/* Configures a server with an identity; `certificates` and `with_key` say with which part. */
static enum verdict try_identity(const struct backend_blob *chain, size_t certificates,
                                 const struct backend_settings *settings, bool with_key) {
    struct backend_settings part = {.chain = chain, .chain_count = certificates};
    if (with_key) {
        part.key = settings->key;
        part.key_format = settings->key_format;
    }
    struct tls_config *config = tls_config_new();
    struct tls *tls = tls_server();
    enum verdict verdict = NO_MEMORY;
    if (config != NULL && tls != NULL && configuration_install(config)) {
        verdict = !identity_install(config, &part)  ? verdict_of(tls_config_error(config))
                  : tls_configure(tls, config) != 0 ? verdict_of(tls_error(tls))
                                                    : USABLE;
    }
    tls_free(tls);
    tls_config_free(config);
    return verdict;
}

static portls_status check_chain(const struct backend_settings *settings, portls_error *error) {
    /* Without a key libtls always ends with the verdict about the pair. */
    enum verdict verdict = try_identity(settings->chain, settings->chain_count, settings, false);
    if (verdict == NO_PAIR || verdict == USABLE) {
        return PORTLS_OK;
    }
    for (size_t i = 0; verdict == BAD_CHAIN && i < settings->chain_count; i++) {
        if (try_identity(&settings->chain[i], 1, settings, false) == BAD_CHAIN) {
            return backend_fail(error, PORTLS_BAD_CERTIFICATE,
                                "certificate %zu of the %zu in the certificate chain is none that "
                                "libtls can use; its key may be too small or of an unknown kind",
                                i + 1, settings->chain_count);
        }
    }
    return verdict == BAD_CHAIN
               ? backend_fail(error, PORTLS_BAD_CERTIFICATE,
                              "libtls refuses a certificate of the chain; its key may be too "
                              "small, or its signature too weak")
               : fail_no_memory(error);
}

static portls_status check_key(const struct backend_settings *settings, portls_error *error) {
    switch (try_identity(NULL, 0, settings, true)) {
    case UNREADABLE_KEY:
    case BAD_CHAIN:
        return backend_fail(error, PORTLS_BAD_KEY,
                            "the private key is damaged or of a kind that libtls does not know; an "
                            "RSA or EC key would do");
    case NO_MEMORY:
        return fail_no_memory(error);
    default:
        return PORTLS_OK;
    }
}

portls_status identity_check(const struct backend_settings *settings, portls_error *error) {
    bool has_chain = settings->chain_count > 0;
    bool has_key = settings->key_format != BACKEND_KEY_NONE;
    if (has_chain && has_key &&
        try_identity(settings->chain, settings->chain_count, settings, true) == USABLE) {
        return PORTLS_OK;
    }
    portls_status status = has_chain ? check_chain(settings, error) : PORTLS_OK;
    if (status == PORTLS_OK && has_key) {
        status = check_key(settings, error);
    }
    if (status == PORTLS_OK && has_chain && has_key) {
        status = backend_fail(error, PORTLS_KEY_MISMATCH,
                              "the private key does not belong to the certificate");
    }
    return status;
}

/* A certificate that nothing trusts, to try with. */
static const char ed25519_chain[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBODCB66ADAgECAhQMooAgVXRJERujXV5lzL5WUgGdfzAFBgMrZXAwETEPMA0G\n"
    "A1UEAwwGcG9ydGxzMCAXDTI2MTEyOTE2NTUzNloYDzIxMjYxMTA1MTY1NTM2WjAR\n"
    "MQ8wDQYDVQQDDAZwb3J0bHMwKjAFBgMrZXADIQCmL46S4+aHw1vmCit5ZeJhOGGU\n"
    "ZkgBpZ8238/xnEBB8qNTMFEwHQYDVR0OBBYEFHotEYok9KIRMrSxPdFYFbEPfChS\n"
    "MB8GA1UdIwQYMBaAFHotEYok9KIRMrSxPdFYFbEPfChSMA8GA1UdEwEB/wQFMAMB\n"
    "Af8wBQYDK2VwA0EAwWN6Lwhu77Q6/xDryJtBPHjBRh9TvtkKcMERtl2Jc78hFWD7\n"
    "sffO3DkERLeUzdFGToTyzOVDf7mh4mqgTXHhCg==\n"
    "-----END CERTIFICATE-----\n";
static const char ed25519_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ/7evdzjoeDBPlemAeiFLd5Mz8XsMpxcHu5YLNdy4k+\n"
    "-----END PRIVATE KEY-----\n";

bool identity_can_ed25519(void) {
    struct tls_config *config = tls_config_new();
    struct tls *tls = tls_server();
    bool can =
        config != NULL && tls != NULL &&
        tls_config_set_keypair_mem(config, (const uint8_t *)ed25519_chain, sizeof ed25519_chain - 1,
                                   (const uint8_t *)ed25519_key, sizeof ed25519_key - 1) == 0 &&
        tls_configure(tls, config) == 0;
    tls_free(tls);
    tls_config_free(config);
    return can;
}
