/* What is known of a connection whose handshake is done. */
#include <stdio.h>
#include <string.h>

#include "backends/libtls/libtls.h"

static void copy(char *room, size_t size, const char *text) {
    (void)snprintf(room, size, "%s", text != NULL ? text : "");
}

bool session_speaks_tls13(struct backend_session *session) {
    const char *version = tls_conn_version(session->tls);
    return version != NULL && strcmp(version, "TLSv1.3") == 0;
}

void session_describe(struct backend_session *session, portls_connection_info *info) {
    copy(info->protocol, sizeof info->protocol, tls_conn_version(session->tls));
    copy(info->cipher, sizeof info->cipher, tls_conn_cipher(session->tls));
    copy(info->peer_subject, sizeof info->peer_subject, tls_peer_cert_subject(session->tls));
    if (session->context->role == PORTLS_SERVER) {
        copy(info->server_name, sizeof info->server_name, tls_conn_servername(session->tls));
    }
    beneath_clear_errors();
}
