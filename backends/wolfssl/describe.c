/* What is known of a connection. */
#include "backends/wolfssl/wolfssl.h"

void session_describe(struct backend_session *session, portls_connection_info *info) {
    backend_add_text(info->protocol, sizeof info->protocol, wolfSSL_get_version(session->ssl));
    const char *cipher = wolfSSL_get_cipher_name(session->ssl);
    if (cipher != NULL) {
        backend_add_text(info->cipher, sizeof info->cipher, cipher);
    }
    void *name = NULL;
    if (session->context->role == PORTLS_SERVER &&
        wolfSSL_SNI_GetRequest(session->ssl, WOLFSSL_SNI_HOST_NAME, &name) > 0 && name != NULL) {
        backend_add_text(info->server_name, sizeof info->server_name, (const char *)name);
    }
    backend_add_text(info->peer_subject, sizeof info->peer_subject, verify_subject(session));
    failure_clear();
}
