/*
 * Alerts of our own, after the handshake. wolfSSL ends a connection over many faults of the peer
 * without an alert, has no call that sends one, and with WOLFSSL_POST_HANDSHAKE_AUTH answers a
 * CertificateRequest that was not offered (RFC 8446, 4.6.2). So the alert is sealed here, with the
 * keys of the connection, on which wolfSSL then sends nothing more.
 */
#include "backends/wolfssl/wolfssl.h"

#if WITH_OWN_ALERTS

enum {
    HEADER_SIZE = 5,
    ALERT_SIZE = 2,
    NONCE_SIZE = 12,
    FIXED_SIZE = 4,    /* TLS 1.2, AES-GCM: the part of the nonce that is not sent, */
    EXPLICIT_SIZE = 8, /* and the part that is */
    TAG_SIZE = 16,
    KEY_UPDATE_RECORD_SIZE = HEADER_SIZE + 5 + 1 + TAG_SIZE,
    RECORD_ALERT = 21,
    RECORD_DATA = 23,
};

/* An alert in the form in which it is sealed. */
struct sealing {
    uint8_t nonce[NONCE_SIZE];
    uint8_t extra[13]; /* authenticated too */
    size_t extra_size;
    uint8_t plain[ALERT_SIZE + 1];
    size_t plain_size;
    uint8_t *sealed; /* receives the ciphertext and the tag */
};

static void put_number(uint8_t *bytes, uint64_t number) {
    for (size_t i = 0; i < sizeof number; i++) {
        bytes[sizeof number - 1 - i] = (uint8_t)(number >> (8 * i));
    }
}

static const uint8_t *own_iv(const struct backend_session *session) {
    return session->context->role == PORTLS_CLIENT ? wolfSSL_GetClientWriteIV(session->ssl)
                                                   : wolfSSL_GetServerWriteIV(session->ssl);
}

static const uint8_t *own_key(const struct backend_session *session) {
    return session->context->role == PORTLS_CLIENT ? wolfSSL_GetClientWriteKey(session->ssl)
                                                   : wolfSSL_GetServerWriteKey(session->ssl);
}

static bool seal_aes(const struct backend_session *session, const struct sealing *sealing) {
    bool sealed = false;
#if defined(HAVE_AESGCM)
    Aes *aes = XMALLOC(sizeof *aes, NULL, DYNAMIC_TYPE_TMP_BUFFER);
    if (aes != NULL && wc_AesInit(aes, NULL, INVALID_DEVID) == 0) {
        sealed =
            wc_AesGcmSetKey(aes, own_key(session), (word32)wolfSSL_GetKeySize(session->ssl)) == 0 &&
            wc_AesGcmEncrypt(aes, sealing->sealed, sealing->plain, (word32)sealing->plain_size,
                             sealing->nonce, NONCE_SIZE, sealing->sealed + sealing->plain_size,
                             TAG_SIZE, sealing->extra, (word32)sealing->extra_size) == 0;
        wc_AesFree(aes);
    }
    XFREE(aes, NULL, DYNAMIC_TYPE_TMP_BUFFER);
#else
    (void)session;
    (void)sealing;
#endif
    return sealed;
}

static bool seal_chacha(const struct backend_session *session, const struct sealing *sealing) {
#if defined(HAVE_CHACHA) && defined(HAVE_POLY1305)
    return wc_ChaCha20Poly1305_Encrypt(own_key(session), sealing->nonce, sealing->extra,
                                       (word32)sealing->extra_size, sealing->plain,
                                       (word32)sealing->plain_size, sealing->sealed,
                                       sealing->sealed + sealing->plain_size) == 0;
#else
    (void)session;
    (void)sealing;
    return false;
#endif
}

/* The nonce of TLS 1.3, and of ChaCha20-Poly1305 in TLS 1.2 (RFC 8446, 5.3; RFC 7905). */
static void mix_nonce(const struct backend_session *session, uint64_t sequence,
                      struct sealing *sealing) {
    uint8_t number[8];
    put_number(number, sequence);
    memcpy(sealing->nonce, own_iv(session), NONCE_SIZE);
    for (size_t i = 0; i < sizeof number; i++) {
        sealing->nonce[NONCE_SIZE - sizeof number + i] ^= number[i];
    }
}

/* Fills in the record's header and what is authenticated, and where the ciphertext goes. Returns
   the record's size. */
static size_t lay_out(const struct backend_session *session, uint64_t sequence, bool is_chacha,
                      uint8_t *record, struct sealing *sealing) {
    bool tls13 = wolfSSL_GetVersion(session->ssl) == WOLFSSL_TLSV1_3;
    size_t explicit_size = tls13 || is_chacha ? 0 : EXPLICIT_SIZE;
    sealing->plain[ALERT_SIZE] = RECORD_ALERT; /* TLS 1.3 */
    sealing->plain_size = tls13 ? ALERT_SIZE + 1 : ALERT_SIZE;
    sealing->sealed = record + HEADER_SIZE + explicit_size;
    size_t body_size = explicit_size + sealing->plain_size + TAG_SIZE;
    const uint8_t header[] = {tls13 ? RECORD_DATA : RECORD_ALERT, 3, 3, 0, (uint8_t)body_size};
    memcpy(record, header, sizeof header);
    mix_nonce(session, sequence, sealing);
    if (tls13) {
        sealing->extra_size = sizeof header;
        memcpy(sealing->extra, header, sizeof header);
        return HEADER_SIZE + body_size;
    }
    put_number(sealing->extra, sequence);
    memcpy(sealing->extra + 8, header, sizeof header);
    sealing->extra[12] = ALERT_SIZE;
    sealing->extra_size = sizeof sealing->extra;
    if (explicit_size > 0) {
        /* wolfSSL counts from 0 or from a random number, and does not come here. */
        memset(record + HEADER_SIZE, 0xff, EXPLICIT_SIZE);
        memcpy(sealing->nonce, own_iv(session), FIXED_SIZE);
        memcpy(sealing->nonce + FIXED_SIZE, record + HEADER_SIZE, EXPLICIT_SIZE);
    }
    return HEADER_SIZE + body_size;
}

/* Sends an alert in place of the last records, which were sealed, but not sent. */
static void send_in_place(struct backend_session *session, int description, size_t records) {
    word64 sequence = 0;
    (void)wolfSSL_GetSequenceNumber(session->ssl, &sequence);
    bool is_chacha = wolfSSL_GetBulkCipher(session->ssl) == wolfssl_chacha;
    uint8_t record[HEADER_SIZE + EXPLICIT_SIZE + ALERT_SIZE + 1 + TAG_SIZE];
    struct sealing sealing = {.plain = {alert_fatal, (uint8_t)description}};
    size_t size = lay_out(session, sequence - records, is_chacha, record, &sealing);
    if (session->send_status == PORTLS_OK &&
        (is_chacha ? seal_chacha(session, &sealing) : seal_aes(session, &sealing))) {
        session->send_status = session->transport->send(session->transport, record, size);
    }
}

void alert_send(struct backend_session *session, int description) {
    send_in_place(session, description, 0);
}

/* What wolfSSL is about to send. */
struct flight {
    size_t records;
    size_t longest; /* size of a record */
};

static struct flight flight_of(const uint8_t *bytes, size_t size) {
    struct flight flight = {0, 0};
    while (size >= HEADER_SIZE) {
        size_t record = HEADER_SIZE + ((size_t)bytes[3] << 8 | bytes[4]);
        record = record < size ? record : size;
        flight.longest = record > flight.longest ? record : flight.longest;
        flight.records++;
        bytes += record;
        size -= record;
    }
    return flight;
}

/* In a read, wolfSSL sends alerts and KeyUpdate by itself, and nothing else; the record of any
   Certificate is longer than these. */
bool alert_replaces(struct backend_session *session, const void *bytes, size_t size) {
    if (!session->reading || session->unoffered_request ||
        session->context->role != PORTLS_CLIENT ||
        wolfSSL_GetVersion(session->ssl) != WOLFSSL_TLSV1_3) {
        return session->unoffered_request;
    }
    struct flight flight = flight_of(bytes, size);
    if (flight.longest <= KEY_UPDATE_RECORD_SIZE) {
        return false;
    }
    session->unoffered_request = true;
    send_in_place(session, ALERT_UNEXPECTED_MESSAGE, flight.records);
    return true;
}

#endif
