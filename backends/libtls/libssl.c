/*
 * Access to the SSL object inside a libtls connection. libtls does not expose it, but libssl calls
 * a registered callback for every SSL that it creates; the one created between libssl_capture_begin
 * and libssl_capture_end in the same thread is the one of libtls. libssl_load tests this: if libtls
 * has its own libssl built in, whose objects cannot be captured, the backend is unavailable rather
 * than unverified.
 */
#include "backends/libtls/libssl.h"

#include <stdio.h>

static _Thread_local struct {
    bool on;
    SSL *ssl;
} capture;

static int session_index = -1;
static char version_text[160];
static uint32_t capabilities;

static void record_new_ssl(void *ssl) {
    if (capture.on) {
        capture.ssl = ssl;
    }
}

#if PORTLS_LIBTLS_EX_NEW_RETURNS_INT
static int on_new_ssl(void *ssl, void *value, CRYPTO_EX_DATA *data, int index, long number,
                      void *argument) {
    (void)value, (void)data, (void)index, (void)number, (void)argument;
    record_new_ssl(ssl);
    return 1;
}
#else
static void on_new_ssl(void *ssl, void *value, CRYPTO_EX_DATA *data, int index, long number,
                       void *argument) {
    (void)value, (void)data, (void)index, (void)number, (void)argument;
    record_new_ssl(ssl);
}
#endif

void libssl_capture_begin(void) {
    capture.on = true;
    capture.ssl = NULL;
}

struct ssl_st *libssl_capture_end(void) {
    SSL *made = capture.ssl;
    capture.on = false;
    capture.ssl = NULL;
    return made;
}

/* Returns whether the SSL of a libtls connection can be captured. */
static bool test_capture(void) {
    struct tls *tls = tls_client();
    struct tls_config *config = tls_config_new();
    SSL *made = NULL;
    if (tls != NULL && config != NULL) {
        tls_config_insecure_noverifycert(config);
        tls_config_insecure_noverifyname(config);
        libssl_capture_begin();
        (void)(tls_configure(tls, config) == 0 &&
               tls_connect_cbs(tls, session_receive, session_send, NULL, NULL) == 0);
        made = libssl_capture_end();
    }
    tls_config_free(config);
    tls_free(tls);
    return made != NULL;
}

/* Queries the linked library. LibreSSL supports Ed25519 keys, but not in TLS. */
static uint32_t find_capabilities(void) {
    uint32_t found = PORTLS_CAN_VERIFY_REASON;
#ifndef OPENSSL_NO_TLS1_2
    found |= PORTLS_CAN_TLS12;
#endif
#ifndef OPENSSL_NO_TLS1_3
    found |= PORTLS_CAN_TLS13;
#endif
#if PORTLS_LIBTLS_TLS_ED25519
    EVP_PKEY_CTX *ed25519 = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);
    found |= ed25519 != NULL ? PORTLS_CAN_ED25519 : 0u;
    EVP_PKEY_CTX_free(ed25519);
#endif
    return found;
}

portls_status libssl_load(portls_error *error) {
    if (session_index < 0) {
        session_index = SSL_get_ex_new_index(0, NULL, on_new_ssl, NULL, NULL);
    }
    if (session_index < 0 || !thread_load()) {
        return fail_library(error, PORTLS_UNAVAILABLE, "libtls had no memory to begin with", NULL);
    }
    const char *library = OpenSSL_version(OPENSSL_VERSION);
#if PORTLS_LIBTLS_IS_LIBRESSL
    (void)snprintf(version_text, sizeof version_text, "libtls of %s", library);
#else
    (void)snprintf(version_text, sizeof version_text, "libretls%s%s over %s",
                   PORTLS_LIBTLS_PACKAGE_VERSION[0] != '\0' ? " " : "",
                   PORTLS_LIBTLS_PACKAGE_VERSION, library);
#endif
    if (!test_capture()) {
        libssl_clear_errors();
        return backend_fail(error, PORTLS_UNAVAILABLE,
                            "this libtls does not stand on the libssl that portls was linked to "
                            "(%s); it has to be built with a shared libssl and found beside it",
                            library);
    }
    capabilities = find_capabilities();
    libssl_clear_errors();
    return PORTLS_OK;
}

const char *libssl_version(void) {
    return version_text;
}

uint32_t libssl_capabilities(void) {
    return capabilities;
}

struct backend_session *libssl_session_of(const SSL *ssl) {
    return SSL_get_ex_data(ssl, session_index);
}

/*
 * Records alerts, and a second hello of ours: a TLS 1.2 renegotiation, in a library that has no
 * option to refuse it. Uses the message callback because LibreSSL does not report TLS 1.3
 * alerts to an info callback.
 */
static void on_message(int sent, int version, int type, const void *bytes, size_t size, SSL *ssl,
                       void *argument) {
    (void)version, (void)ssl;
    struct backend_session *session = argument;
    const uint8_t *message = bytes;
    session->queue_dirty =
        session->queue_dirty || type == SSL3_RT_ALERT || type == SSL3_RT_HANDSHAKE;
    if (type == SSL3_RT_ALERT && size == 2) {
        if (sent == 0) {
            session->alert_received = message[1];
        } else if (message[0] == SSL3_AL_FATAL && session->alert_sent < 0) {
            session->alert_sent = message[1];
        }
    } else if (type == SSL3_RT_HANDSHAKE && size > 0 && sent != 0 && session->established &&
               (message[0] == SSL3_MT_CLIENT_HELLO || message[0] == SSL3_MT_SERVER_HELLO)) {
        session->renegotiated = true;
    }
}

bool libssl_adopt(struct backend_session *session) {
    SSL *ssl = session->ssl;
    if (SSL_set_ex_data(ssl, session_index, session) != 1) {
        return false;
    }
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, session);
    /* NO_AUTO_CHAIN: sends the chain that was loaded, never one completed from the trusted roots.
       AUTO_RETRY: tickets and key updates do not end a read. */
    SSL_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_AUTO_RETRY);
#if PORTLS_LIBTLS_HAS_FREE_BUFFERS
    SSL_clear_mode(ssl, SSL_MODE_RELEASE_BUFFERS); /* it would allocate a buffer for each record */
#else
    SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
#endif
    SSL_set_options(ssl, SSL_OP_NO_COMPRESSION);
    SSL_clear_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
    if (SSL_get_security_level(ssl) < 1) {
        SSL_set_security_level(ssl, 1);
    }
#if PORTLS_LIBTLS_HAS_NO_RENEGOTIATION
    SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
#endif
    if (session->context->role == PORTLS_CLIENT) {
        /* libtls requests a stapled OCSP response: one that it cannot parse would fail a handshake
           that succeeds with the other backends. */
        SSL_set_tlsext_status_type(ssl, -1);
    }
#if PORTLS_LIBTLS_HAS_NUM_TICKETS
    /* libtls disables resumption, so a ticket would be useless. */
    return SSL_set_num_tickets(ssl, 0) == 1;
#else
    return true;
#endif
}

bool libssl_handshake_done(const struct backend_session *session) {
    return SSL_is_init_finished(session->ssl) != 0;
}

bool libssl_finish_message(const struct backend_session *session) {
    return !SSL_in_init(session->ssl) || SSL_do_handshake(session->ssl) == 1;
}

size_t libssl_pending(const struct backend_session *session) {
    int pending = SSL_pending(session->ssl);
    return pending > 0 ? (size_t)pending : 0;
}

void libssl_free_buffers(const struct backend_session *session) {
#if PORTLS_LIBTLS_HAS_FREE_BUFFERS
    (void)SSL_free_buffers(session->ssl); /* fails if half a record has arrived */
#else
    (void)session;
#endif
}

bool libssl_has_error(void) {
    return ERR_peek_error() != 0;
}

/* The queue is nearly always empty, and checking costs an eighth of clearing it. */
void libssl_clear_errors(void) {
    thread_used();
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

struct library_error libssl_take_error(void) {
    unsigned long first = ERR_peek_error();
    unsigned long best = 0;
    bool no_memory = false;
    for (unsigned long next = ERR_get_error(); next != 0 && !no_memory; next = ERR_get_error()) {
        no_memory = ERR_GET_REASON(next) == ERR_R_MALLOC_FAILURE;
        if (no_memory || (best == 0 && ERR_GET_LIB(next) == ERR_LIB_SSL)) {
            best = next;
        }
    }
    ERR_clear_error();
    unsigned long code = best != 0 ? best : first;
    bool is_ssl = code != 0 && ERR_GET_LIB(code) == ERR_LIB_SSL;
    return (struct library_error){
        .code = code,
        .no_memory = no_memory,
        .no_certificate = is_ssl && ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
    };
}

const char *libssl_error_text(int64_t code) {
    unsigned long packed = (unsigned long)code;
    /* The library's reasons are English; those of the system may not be. */
    return ERR_GET_LIB(packed) == ERR_LIB_SSL ? ERR_reason_error_string(packed) : NULL;
}
