/* What is known of a connection whose handshake is done. */
#include <stdio.h>

#include "backends/openssl/openssl.h"

bool session_speaks_tls13(struct backend_session *session) {
    return SSL_version(session->ssl) == TLS1_3_VERSION;
}

void session_describe(struct backend_session *session, portls_connection_info *info) {
    (void)snprintf(info->protocol, sizeof info->protocol, "%s", SSL_get_version(session->ssl));
    const SSL_CIPHER *cipher = SSL_get_current_cipher(session->ssl);
    if (cipher != NULL) {
        (void)snprintf(info->cipher, sizeof info->cipher, "%s", SSL_CIPHER_get_name(cipher));
    }
    if (session->context->role == PORTLS_SERVER) {
        const char *name = SSL_get_servername(session->ssl, TLSEXT_NAMETYPE_host_name);
        if (name != NULL) {
            (void)snprintf(info->server_name, sizeof info->server_name, "%s", name);
        }
    }
    X509 *peer = SSL_get0_peer_certificate(session->ssl);
    if (peer != NULL) {
        /* "/CN=name": the form that every backend can give; it escapes what is not printable. */
        (void)X509_NAME_oneline(X509_get_subject_name(peer), info->peer_subject,
                                (int)sizeof info->peer_subject);
    }
    ERR_clear_error();
}
