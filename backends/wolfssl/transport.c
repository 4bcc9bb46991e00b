/* wolfSSL's I/O callbacks over the core's transport, through which all ciphertext enters and leaves
   wolfSSL. */
#include "backends/wolfssl/wolfssl.h"

/* The record types with which a peer may begin. */
enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };

/* A record header has type, version and length; an unencrypted alert has two bytes. */
enum { HEADER_SIZE = 5, ALERT_SIZE = 2 };

static size_t body_size(const struct record_header *header) {
    return (size_t)header->bytes[3] << 8 | header->bytes[4];
}

/* Receives for wolfSSL. Returns the number of bytes, or an error of wolfSSL's I/O callbacks. */
static int receive(struct backend_session *session, void *buffer, size_t size) {
    size_t got = 0;
    portls_status status = session->transport->receive(session->transport, buffer, size, &got);
    if (status == PORTLS_OK) {
        return (int)got;
    }
    session->receive_status = status == PORTLS_WANT_READ ? PORTLS_OK : status;
    return WOLFSSL_CBIO_ERR_WANT_READ;
}

/* Returns whether the peer's first byte is one of TLS. Some builds would take other bytes for an
   SSL 2 record and wait for the rest of it. */
static bool looks_like_tls(struct backend_session *session) {
    uint8_t first = session->header.bytes[0];
    session->tls_seen = session->tls_seen || first == RECORD_HANDSHAKE || first == RECORD_ALERT;
    return session->tls_seen;
}

/*
 * Receives the header of the next record. Returns 1 when it is complete. Also receives and records
 * an unencrypted alert: clients based on OpenSSL send one in TLS 1.3, and wolfSSL fails on its
 * header.
 */
static int receive_header(struct backend_session *session) {
    struct record_header *header = &session->header;
    size_t need = HEADER_SIZE;
    for (;;) {
        if (header->received > 0 && !looks_like_tls(session)) {
            return WOLFSSL_CBIO_ERR_GENERAL;
        }
        bool is_alert = header->received >= HEADER_SIZE && !session->established &&
                        header->bytes[0] == RECORD_ALERT && body_size(header) == ALERT_SIZE;
        need = is_alert ? HEADER_SIZE + ALERT_SIZE : HEADER_SIZE;
        if (header->received >= need) {
            break;
        }
        int got = receive(session, header->bytes + header->received, need - header->received);
        if (got <= 0) {
            return got;
        }
        header->received = (uint8_t)(header->received + got);
    }
    if (need > HEADER_SIZE && header->bytes[HEADER_SIZE] == alert_fatal) {
        session->plain_alert = header->bytes[HEADER_SIZE + 1];
    }
    header->complete = true;
    header->body_left = (uint16_t)(body_size(header) - (need - HEADER_SIZE));
    return 1;
}

/*
 * Receive callback. Returns WANT_READ for any failure, which the verbs report from receive_status:
 * wolfSSL would fail the session on an end of file or error, although the peer may still read what
 * is written.
 */
static int on_receive(WOLFSSL *ssl, char *buffer, int size, void *argument) {
    (void)ssl;
    struct backend_session *session = argument;
    struct record_header *header = &session->header;
    if (size <= 0 || session->receive_status != PORTLS_OK) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    if (header->complete && header->passed == header->received && header->body_left == 0) {
        *header = (struct record_header){.complete = false};
    }
    if (!header->complete) {
        int result = receive_header(session);
        if (result <= 0) {
            return result;
        }
    }
    size_t left = (size_t)header->received - header->passed;
    if (left > 0) {
        size_t count = (size_t)size < left ? (size_t)size : left;
        memcpy(buffer, header->bytes + header->passed, count);
        header->passed = (uint8_t)(header->passed + count);
        return (int)count;
    }
    int got = receive(session, buffer,
                      (size_t)size < header->body_left ? (size_t)size : header->body_left);
    if (got > 0) {
        header->body_left = (uint16_t)(header->body_left - got);
    }
    return got;
}

/* Send callback. Never reports a failure of the transport to wolfSSL, which would then refuse to
   read, although the bytes that the peer has sent are good; the verbs report it from send_status.
 */
static int on_send(WOLFSSL *ssl, char *bytes, int size, void *argument) {
    (void)ssl;
    struct backend_session *session = argument;
    if (size > 0 && alert_replaces(session, bytes, (size_t)size)) {
        return WOLFSSL_CBIO_ERR_GENERAL;
    }
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
