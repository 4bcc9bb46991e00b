/* wolfSSL's I/O callbacks over the core's transport: the only way ciphertext gets in and out. */
#include "backends/wolfssl/wolfssl.h"

/* The record types a peer may begin with: a handshake message, or an alert. */
enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };

/*
 * Whatever keeps the bytes away, wolfSSL is told to come again, and the caller looks at
 * receive_status: told of an end or a failure, wolfSSL would give the session up, although what we
 * write may still be read.
 */
static int on_receive(WOLFSSL *ssl, char *buffer, int size, void *argument) {
    (void)ssl;
    struct backend_session *session = argument;
    size_t got = 0;
    if (size <= 0 || session->receive_status != PORTLS_OK) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    portls_status status =
        session->transport->receive(session->transport, buffer, (size_t)size, &got);
    if (status != PORTLS_OK) {
        session->receive_status = status == PORTLS_WANT_READ ? PORTLS_OK : status;
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    if (!session->spoke_tls) {
        /* Some builds would take other bytes for an SSL 2 record and wait for the rest of it. */
        uint8_t first = (uint8_t)buffer[0];
        session->spoke_tls = first == RECORD_HANDSHAKE || first == RECORD_ALERT;
        session->no_tls = !session->spoke_tls;
        if (session->no_tls) {
            return WOLFSSL_CBIO_ERR_GENERAL;
        }
    }
    return (int)got;
}

/* wolfSSL never hears of a failure, which the verbs report: it would refuse to read from then on,
   although what the peer has sent is good. */
static int on_send(WOLFSSL *ssl, char *bytes, int size, void *argument) {
    (void)ssl;
    struct backend_session *session = argument;
    if (size > 0 && session->send_status == PORTLS_OK) {
        session->send_status = session->transport->send(session->transport, bytes, (size_t)size);
    }
    return size;
}

void transport_install(struct backend_session *session) {
    wolfSSL_SSLSetIORecv(session->ssl, on_receive);
    wolfSSL_SSLSetIOSend(session->ssl, on_send);
    wolfSSL_SetIOReadCtx(session->ssl, session);
    wolfSSL_SetIOWriteCtx(session->ssl, session);
}
