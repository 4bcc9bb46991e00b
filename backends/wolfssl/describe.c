/* Describes a connection after its handshake. */
#include "backends/wolfssl/wolfssl.h"

#if WITH_ALPN
static struct backend_blob negotiated_protocol(struct backend_session *session) {
    char *name = NULL;
    word16 size = 0;
    if (wolfSSL_ALPN_GetProtocol(session->ssl, &name, &size) != WOLFSSL_SUCCESS) {
        return (struct backend_blob){NULL, 0};
    }
    return (struct backend_blob){(const uint8_t *)name, size};
}
#else
static struct backend_blob negotiated_protocol(struct backend_session *session) {
    (void)session;
    return (struct backend_blob){NULL, 0};
}
#endif

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
        .alpn = negotiated_protocol(session),
    };
    failure_clear();
}
