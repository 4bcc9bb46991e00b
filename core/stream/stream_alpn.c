/* The application protocol of a connection (ALPN, RFC 7301). */
#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/stream/stream.h"

enum { ALERT_ILLEGAL_PARAMETER = 47, ALERT_NO_APPLICATION_PROTOCOL = 120 };

portls_status stream_keep_alpn(struct stream *stream, const struct backend_blob *name) {
    stream->alpn = memory_allocate(name->size + 1);
    if (stream->alpn == NULL) {
        return stream_fail(stream, PORTLS_NO_MEMORY, "no memory for the application protocol");
    }
    memcpy(stream->alpn, name->bytes, name->size);
    stream->alpn[name->size] = '\0';
    return PORTLS_OK;
}

/* Fails a client whose handshake is done. Its last flight may not have left, and never does; there
   is no call to send the alert any more. */
static portls_status fail_client(struct stream *stream, int alert, const char *sentence) {
    transport_drop_pending(&stream->transport);
    portls_error *error = failure_new(&stream->failure);
    (void)error_fail(error, PORTLS_HANDSHAKE, "%s", sentence);
    if (error != NULL) {
        error->alert = alert;
    }
    return stream_note_failure(stream);
}

portls_status stream_end_alpn(struct stream *stream) {
    const struct alpn *own = stream_own_alpn(stream);
    if (stream->snapshot->role == PORTLS_SERVER || own->size == 0) {
        return PORTLS_OK; /* a server has chosen before */
    }
    struct backend_facts facts;
    stream->snapshot->backend->describe(stream->session, &facts);
    if (facts.alpn.size > 0) {
        return alpn_has(own, &facts.alpn)
                   ? stream_keep_alpn(stream, &facts.alpn)
                   : fail_client(stream, ALERT_ILLEGAL_PARAMETER,
                                 "the server chose an application protocol that was not offered");
    }
    return own->policy == PORTLS_ALPN_OPTIONAL
               ? PORTLS_OK
               : fail_client(stream, ALERT_NO_APPLICATION_PROTOCOL,
                             "the server speaks none of the application protocols that were "
                             "offered, and one is required");
}

const char *portls_alpn(const portls_input_port *ssl_in) {
    struct stream *stream = portls_is_input_port(ssl_in) ? stream_of(ssl_in) : NULL;
    if (stream == NULL) {
        return NULL;
    }
    os_mutex_lock(&stream->lock);
    bool known = stream_is_open(stream) && stream->session != NULL;
    os_mutex_unlock(&stream->lock);
    if (!known) {
        return NULL;
    }
    return stream->alpn != NULL ? stream->alpn : "";
}
