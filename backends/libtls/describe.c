/* Describes a connection after its handshake. */
#include <string.h>

#include "backends/libtls/libtls.h"

static const char *text_or_empty(const char *text) {
    return text != NULL ? text : "";
}

bool session_speaks_tls13(struct backend_session *session) {
    const char *version = tls_conn_version(session->tls);
    return version != NULL && strcmp(version, "TLSv1.3") == 0;
}

void session_describe(struct backend_session *session, struct backend_facts *facts) {
    *facts = (struct backend_facts){
        .protocol = text_or_empty(tls_conn_version(session->tls)),
        .cipher = text_or_empty(tls_conn_cipher(session->tls)),
        .server_name = session->context->role == PORTLS_SERVER
                           ? text_or_empty(tls_conn_servername(session->tls))
                           : "",
        .peer_subject = text_or_empty(tls_peer_cert_subject(session->tls)),
    };
    libssl_clear_errors();
}
