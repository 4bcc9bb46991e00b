/* Describes a connection after its handshake. */
#include "backends/openssl/openssl.h"

bool session_speaks_tls13(struct backend_session *session) {
    return SSL_version(session->ssl) == TLS1_3_VERSION;
}

/* Returns the subject of the peer's certificate, formatted once per session. */
static const char *peer_subject(struct backend_session *session) {
    X509 *peer = SSL_get0_peer_certificate(session->ssl);
    if (session->peer_subject == NULL && peer != NULL) {
        size_t size = certificate_subject(peer, NULL, 0) + 1;
        session->peer_subject = OPENSSL_malloc(size);
        if (session->peer_subject != NULL) {
            (void)certificate_subject(peer, session->peer_subject, size);
        }
    }
    return session->peer_subject != NULL ? session->peer_subject : "";
}

void session_describe(struct backend_session *session, struct backend_facts *facts) {
    const SSL_CIPHER *cipher = SSL_get_current_cipher(session->ssl);
    const char *name = session->context->role == PORTLS_SERVER
                           ? SSL_get_servername(session->ssl, TLSEXT_NAMETYPE_host_name)
                           : NULL;
    struct backend_blob alpn = {NULL, 0};
    unsigned int alpn_size = 0;
    SSL_get0_alpn_selected(session->ssl, &alpn.bytes, &alpn_size);
    alpn.size = alpn_size;
    *facts = (struct backend_facts){
        .protocol = SSL_get_version(session->ssl),
        .cipher = cipher != NULL ? SSL_CIPHER_get_name(cipher) : "",
        .server_name = name != NULL ? name : "",
        .peer_subject = peer_subject(session),
        .alpn = alpn,
    };
    ERR_clear_error();
}
