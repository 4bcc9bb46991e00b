/* A BIO over the core's transport, through which all ciphertext enters and leaves OpenSSL. */
#include "backends/openssl/openssl.h"

static BIO_METHOD *transport_method;

static void record_first(struct backend_session *session, const char *bytes, size_t size) {
    for (size_t i = 0; i < size && session->first_size < sizeof session->first; i++) {
        session->first[session->first_size++] = (uint8_t)bytes[i];
    }
}

static int transport_read(BIO *bio, char *buffer, int size) {
    struct backend_session *session = BIO_get_data(bio);
    size_t got = 0;
    session->wants_read = false;
    BIO_clear_retry_flags(bio);
    if (size <= 0) {
        return 0;
    }
    portls_status status =
        session->transport->receive(session->transport, buffer, (size_t)size, &got);
    if (status == PORTLS_OK) {
        record_first(session, buffer, got);
        return (int)got;
    }
    if (status == PORTLS_WANT_READ) {
        session->wants_read = true;
        BIO_set_retry_read(bio);
        return -1;
    }
    session->port_status = status;
    return status == PORTLS_EOF ? 0 : -1;
}

static int transport_write(BIO *bio, const char *bytes, int size) {
    struct backend_session *session = BIO_get_data(bio);
    session->wants_read = false;
    BIO_clear_retry_flags(bio);
    if (size <= 0) {
        return 0;
    }
    if (session->send_status == PORTLS_OK) {
        session->send_status = session->transport->send(session->transport, bytes, (size_t)size);
    }
    if (session->send_status != PORTLS_OK) {
        /* An error that OpenSSL already has came first: the port failed only while the alert about
           it was being sent. */
        if (session->port_status == PORTLS_OK && ERR_peek_error() == 0) {
            session->port_status = session->send_status;
        }
        return -1;
    }
    return size;
}

/*
 * Flush always succeeds, since the core flushes. Everything else returns 0, including BIO_CTRL_EOF:
 * if it reported EOF, OpenSSL 3 would send an alert on a closing connection and fail the session,
 * although the peer may still read what is written.
 */
static long transport_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

bool transport_bio_load(void) {
    if (transport_method != NULL) {
        return true;
    }
    int index = BIO_get_new_index();
    if (index < 0) {
        return false;
    }
    BIO_METHOD *method = BIO_meth_new(index | BIO_TYPE_SOURCE_SINK, "portls transport");
    if (method == NULL || BIO_meth_set_read(method, transport_read) != 1 ||
        BIO_meth_set_write(method, transport_write) != 1 ||
        BIO_meth_set_ctrl(method, transport_ctrl) != 1) {
        BIO_meth_free(method);
        return false;
    }
    transport_method = method;
    return true;
}

BIO *transport_bio_new(struct backend_session *session) {
    BIO *bio = BIO_new(transport_method);
    if (bio != NULL) {
        BIO_set_data(bio, session);
        BIO_set_init(bio, 1);
    }
    return bio;
}
