/* Describes a connection after its handshake. */
#include "backends/wolfssl/wolfssl.h"

void session_describe(struct backend_session *session, struct backend_facts *facts) {
    const char *cipher = wolfSSL_get_cipher_name(session->ssl);
    void *name = NULL;
    if (session->context->role != PORTLS_SERVER ||
        wolfSSL_SNI_GetRequest(session->ssl, WOLFSSL_SNI_HOST_NAME, &name) == 0) {
        name = NULL;
    }
    *facts = (struct backend_facts){
        .protocol = wolfSSL_get_version(session->ssl),
        .cipher = cipher != NULL ? cipher : "",
        .server_name = name != NULL ? (const char *)name : "",
        .peer_subject = verify_subject(session),
    };
    failure_clear();
}
