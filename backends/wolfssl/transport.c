/* wolfSSL's I/O callbacks over the core's transport: the only way ciphertext gets in and out. */
#include "backends/wolfssl/wolfssl.h"

/* The record types a peer may begin with. */
enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22 };

/* A record's header: type, version, length. An alert that is not encrypted has two bytes. */
enum { HEADER_SIZE = 5, ALERT_SIZE = 2 };

static size_t body_size(const struct record_head *head) {
    return (size_t)head->bytes[3] << 8 | head->bytes[4];
}

/* receive, in the terms of wolfSSL: how many bytes, or why not. */
static int receive(struct backend_session *session, void *buffer, size_t size) {
    size_t got = 0;
    portls_status status = session->transport->receive(session->transport, buffer, size, &got);
    if (status == PORTLS_OK) {
        return (int)got;
    }
    session->receive_status = status == PORTLS_WANT_READ ? PORTLS_OK : status;
    return WOLFSSL_CBIO_ERR_WANT_READ;
}

/* Some builds would take other bytes for an SSL 2 record and wait for the rest of it. */
static bool begins_as_tls(struct backend_session *session) {
    uint8_t first = session->head.bytes[0];
    session->spoke_tls = session->spoke_tls || first == RECORD_HANDSHAKE || first == RECORD_ALERT;
    return session->spoke_tls;
}

/*
 * Gets the header of the next record; 1 when it is there. An alert that is not encrypted is read to
 * its end with it, and noted: clients of OpenSSL send one in TLS 1.3, and wolfSSL stumbles over its
 * header.
 */
static int fill_head(struct backend_session *session) {
    struct record_head *head = &session->head;
    size_t need = HEADER_SIZE;
    for (;;) {
        if (head->have > 0 && !begins_as_tls(session)) {
            return WOLFSSL_CBIO_ERR_GENERAL;
        }
        bool is_alert = head->have >= HEADER_SIZE && !session->established &&
                        head->bytes[0] == RECORD_ALERT && body_size(head) == ALERT_SIZE;
        need = is_alert ? HEADER_SIZE + ALERT_SIZE : HEADER_SIZE;
        if (head->have >= need) {
            break;
        }
        int got = receive(session, head->bytes + head->have, need - head->have);
        if (got <= 0) {
            return got;
        }
        head->have = (uint8_t)(head->have + got);
    }
    if (need > HEADER_SIZE && head->bytes[HEADER_SIZE] == alert_fatal) {
        session->plain_alert = head->bytes[HEADER_SIZE + 1];
    }
    head->whole = true;
    head->body_left = (uint16_t)(body_size(head) - (need - HEADER_SIZE));
    return 1;
}

/*
 * Whatever keeps the bytes away, wolfSSL is told to come again, and the caller looks at
 * receive_status: told of an end or a failure, wolfSSL would give the session up, although what we
 * write may still be read.
 */
static int on_receive(WOLFSSL *ssl, char *buffer, int size, void *argument) {
    (void)ssl;
    struct backend_session *session = argument;
    struct record_head *head = &session->head;
    if (size <= 0 || session->receive_status != PORTLS_OK) {
        return WOLFSSL_CBIO_ERR_WANT_READ;
    }
    if (head->whole && head->given == head->have && head->body_left == 0) {
        *head = (struct record_head){.whole = false};
    }
    if (!head->whole) {
        int result = fill_head(session);
        if (result <= 0) {
            return result;
        }
    }
    size_t left = (size_t)head->have - head->given;
    if (left > 0) {
        size_t count = (size_t)size < left ? (size_t)size : left;
        memcpy(buffer, head->bytes + head->given, count);
        head->given = (uint8_t)(head->given + count);
        return (int)count;
    }
    int got =
        receive(session, buffer, (size_t)size < head->body_left ? (size_t)size : head->body_left);
    if (got > 0) {
        head->body_left = (uint16_t)(head->body_left - got);
    }
    return got;
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
