/* A BIO over the core's transport: the only way ciphertext gets in and out of OpenSSL. */
#include "backends/openssl/openssl.h"

static BIO_METHOD *transport_method;

static int transport_read(BIO *bio, char *buffer, int size) {
    struct backend_session *session = BIO_get_data(bio);
    size_t got = 0;
    session->starved = false;
    BIO_clear_retry_flags(bio);
    if (size <= 0) {
        return 0;
    }
    portls_status status =
        session->transport->receive(session->transport, buffer, (size_t)size, &got);
    if (status == PORTLS_OK) {
        return (int)got;
    }
    if (status == PORTLS_WANT_READ) {
        session->starved = true;
        BIO_set_retry_read(bio);
        return -1;
    }
    session->port_status = status;
    return status == PORTLS_EOF ? 0 : -1;
}

static int transport_write(BIO *bio, const char *bytes, int size) {
    struct backend_session *session = BIO_get_data(bio);
    session->starved = false;
    BIO_clear_retry_flags(bio);
    if (size <= 0) {
        return 0;
    }
    if (session->send_status == PORTLS_OK) {
        session->send_status = session->transport->send(session->transport, bytes, (size_t)size);
    }
    if (session->send_status != PORTLS_OK) {
        /* Unless OpenSSL has an error of its own already: that one came first, and the port failed
           only while an alert about it was on its way. */
        if (session->port_status == PORTLS_OK && ERR_peek_error() == 0) {
            session->port_status = session->send_status;
        }
        return -1;
    }
    return size;
}

/*
 * Flushing is the core's business, so it always "succeeds". Everything else is answered with 0,
 * BIO_CTRL_EOF on purpose as well: told of an end of file, OpenSSL 3 sends an alert into a
 * connection that is closing and gives the session up, although what we write may still be read.
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
