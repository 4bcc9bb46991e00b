/*
 * The SSL that libtls drives. libtls hands it to nobody, but the library beneath tells whoever has
 * asked of every SSL that is made; so the one that libtls makes between watch_begin and watch_end,
 * in the same thread, is it. beneath_load tries that out: where libtls has a libssl of its own
 * built in, which cannot be watched, the backend is not available, rather than left unverified.
 */
#include "backends/libtls/beneath.h"

#include <stdio.h>

static _Thread_local struct {
    bool on;
    SSL *made;
} watch;

static int session_index = -1;
static char version_text[160];
static uint32_t capabilities;

static void note_new_ssl(void *ssl) {
    if (watch.on) {
        watch.made = ssl;
    }
}

#if PORTLS_LIBTLS_EX_NEW_RETURNS_INT
static int on_new_ssl(void *ssl, void *value, CRYPTO_EX_DATA *data, int index, long number,
                      void *argument) {
    (void)value, (void)data, (void)index, (void)number, (void)argument;
    note_new_ssl(ssl);
    return 1;
}
#else
static void on_new_ssl(void *ssl, void *value, CRYPTO_EX_DATA *data, int index, long number,
                       void *argument) {
    (void)value, (void)data, (void)index, (void)number, (void)argument;
    note_new_ssl(ssl);
}
#endif

void beneath_watch_begin(void) {
    watch.on = true;
    watch.made = NULL;
}

struct ssl_st *beneath_watch_end(void) {
    SSL *made = watch.made;
    watch.on = false;
    watch.made = NULL;
    return made;
}

/* Whether a connection that libtls makes can be seen. */
static bool try_watching(void) {
    struct tls *tls = tls_client();
    struct tls_config *config = tls_config_new();
    SSL *made = NULL;
    if (tls != NULL && config != NULL) {
        tls_config_insecure_noverifycert(config);
        tls_config_insecure_noverifyname(config);
        beneath_watch_begin();
        (void)(tls_configure(tls, config) == 0 &&
               tls_connect_cbs(tls, session_receive, session_send, NULL, NULL) == 0);
        made = beneath_watch_end();
    }
    tls_config_free(config);
    tls_free(tls);
    return made != NULL;
}

/* What is linked is asked, not assumed; LibreSSL knows Ed25519 keys, but not in TLS. */
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

portls_status beneath_load(portls_error *error) {
    if (session_index < 0) {
        session_index = SSL_get_ex_new_index(0, NULL, on_new_ssl, NULL, NULL);
    }
    if (session_index < 0) {
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
    if (!try_watching()) {
        beneath_clear_errors();
        return backend_fail(error, PORTLS_UNAVAILABLE,
                            "this libtls does not stand on the libssl that portls was linked to "
                            "(%s); it has to be built with a shared libssl and found beside it",
                            library);
    }
    capabilities = find_capabilities();
    beneath_clear_errors();
    return PORTLS_OK;
}

const char *beneath_version(void) {
    return version_text;
}

uint32_t beneath_capabilities(void) {
    return capabilities;
}

struct backend_session *beneath_session_of(const SSL *ssl) {
    return SSL_get_ex_data(ssl, session_index);
}

/*
 * Notes alerts, and that we said hello once more: TLS 1.2 begins anew, in a library that cannot be
 * told to refuse it. LibreSSL does not tell an info callback of the alerts of TLS 1.3, so it is
 * this one that is asked for.
 */
static void on_message(int sent, int version, int type, const void *bytes, size_t size, SSL *ssl,
                       void *argument) {
    (void)version, (void)ssl;
    struct backend_session *session = argument;
    const uint8_t *message = bytes;
    session->queue_touched =
        session->queue_touched || type == SSL3_RT_ALERT || type == SSL3_RT_HANDSHAKE;
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

bool beneath_adopt(struct backend_session *session) {
    SSL *ssl = session->ssl;
    if (SSL_set_ex_data(ssl, session_index, session) != 1) {
        return false;
    }
    SSL_set_msg_callback(ssl, on_message);
    SSL_set_msg_callback_arg(ssl, session);
    /* NO_AUTO_CHAIN: what is sent is the chain that was loaded, never one completed from the
       trusted roots. AUTO_RETRY: tickets and key updates do not end a read. */
    SSL_set_mode(ssl, SSL_MODE_NO_AUTO_CHAIN | SSL_MODE_AUTO_RETRY);
#if PORTLS_LIBTLS_HAS_FREE_BUFFERS
    SSL_clear_mode(ssl, SSL_MODE_RELEASE_BUFFERS); /* which would make one for each record */
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
        /* libtls asks for a stapled OCSP response: one that it cannot read would end a handshake
           that the other backends finish. */
        SSL_set_tlsext_status_type(ssl, -1);
    }
#if PORTLS_LIBTLS_HAS_NUM_TICKETS
    /* libtls has switched resumption off, so that nobody could use one. */
    return SSL_set_num_tickets(ssl, 0) == 1;
#else
    return true;
#endif
}

bool beneath_is_finished(const struct backend_session *session) {
    return SSL_is_init_finished(session->ssl) != 0;
}

bool beneath_finish_message(const struct backend_session *session) {
    return !SSL_in_init(session->ssl) || SSL_do_handshake(session->ssl) == 1;
}

bool beneath_has_pending(const struct backend_session *session) {
    return SSL_pending(session->ssl) > 0;
}

void beneath_rest(const struct backend_session *session) {
#if PORTLS_LIBTLS_HAS_FREE_BUFFERS
    (void)SSL_free_buffers(session->ssl); /* refused when half a record has come */
#else
    (void)session;
#endif
}

bool beneath_has_error(void) {
    return ERR_peek_error() != 0;
}

/* The queue is nearly always empty, and looking costs an eighth of clearing it. */
void beneath_clear_errors(void) {
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

/* The error that tells most: one that says "no memory", else the oldest of the SSL layer, else the
   oldest. */
struct library_error beneath_take_error(void) {
    unsigned long first = ERR_peek_error();
    unsigned long told = 0;
    bool no_memory = false;
    for (unsigned long next = ERR_get_error(); next != 0 && !no_memory; next = ERR_get_error()) {
        no_memory = ERR_GET_REASON(next) == ERR_R_MALLOC_FAILURE;
        if (no_memory || (told == 0 && ERR_GET_LIB(next) == ERR_LIB_SSL)) {
            told = next;
        }
    }
    ERR_clear_error();
    unsigned long code = told != 0 ? told : first;
    bool of_ssl = code != 0 && ERR_GET_LIB(code) == ERR_LIB_SSL;
    return (struct library_error){
        .code = code,
        .no_memory = no_memory,
        .no_certificate = of_ssl && ERR_GET_REASON(code) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
    };
}

const char *beneath_error_text(int64_t code) {
    unsigned long packed = (unsigned long)code;
    /* The library's reasons are English; those of the system are not asked for. */
    return ERR_GET_LIB(packed) == ERR_LIB_SSL ? ERR_reason_error_string(packed) : NULL;
}
