/*
 * In place of this backend's own judgement of certificates: wolfSSL's, for boards that have no room
 * for both (PORTLS_WOLFSSL_OWN_VERIFIER=OFF). docs/backends.md says in what it differs. Names are
 * compared here all the same: wolfSSL lets a `*` stand in any label.
 */
#include "backends/refusal.h"
#include "backends/wolfssl/host.h"
#include "backends/wolfssl/signature.h"
#include "backends/wolfssl/wolfssl.h"

/* ---- of a certificate: no more than its key and its names, to compare with ---- */

/* Takes one extension; a second one of alternative names is an error. */
static bool take_extension(struct backend_blob *extensions, struct certificate *certificate) {
    static const uint8_t alternative_name[] = {0x55, 0x1d, 0x11}; /* 2.5.29.17 */
    struct backend_blob extension;
    struct backend_blob type;
    struct backend_blob part;
    if (!asn1_take(extensions, DER_SEQUENCE, &extension) ||
        !asn1_take(&extension, DER_OID, &type)) {
        return false;
    }
    (void)asn1_take(&extension, DER_BOOLEAN, &part); /* whether it is critical, if it says so */
    if (!asn1_take(&extension, DER_OCTET_STRING, &part)) {
        return false;
    }
    if (type.size != sizeof alternative_name ||
        memcmp(type.bytes, alternative_name, sizeof alternative_name) != 0) {
        return true;
    }
    bool first = !certificate->has_alternative_names;
    certificate->has_alternative_names = true;
    return first && asn1_take(&part, DER_SEQUENCE, &certificate->alternative_names);
}

static bool take_extensions(struct backend_blob part, struct certificate *certificate) {
    struct backend_blob extensions;
    bool good = asn1_take(&part, DER_SEQUENCE, &extensions);
    while (good && extensions.size > 0) {
        good = take_extension(&extensions, certificate);
    }
    return good;
}

static bool take_key(struct backend_blob part, struct certificate *certificate) {
    struct backend_blob algorithm;
    return asn1_take(&part, DER_SEQUENCE, &algorithm) &&
           asn1_take(&algorithm, DER_OID, &certificate->key_type);
}

bool certificate_parse(const struct backend_blob *der, struct certificate *certificate) {
    /* The places of parts, counted behind the version, which may be missing: the serial number is
       the first. Behind the key are unique identifiers and the extensions. */
    enum { SUBJECT = 4, KEY = 5 };
    struct backend_blob cursor = *der;
    struct backend_blob outer;
    struct backend_blob inside;
    struct backend_blob part;
    struct backend_blob whole;
    uint8_t tag = 0;
    *certificate = (struct certificate){.whole = *der};
    if (!asn1_take(&cursor, DER_SEQUENCE, &outer) || cursor.size > 0 ||
        !asn1_take(&outer, DER_SEQUENCE, &inside)) {
        return false;
    }
    (void)asn1_take(&inside, DER_CONTEXT_INSIDE(0), &part);
    int place = 0;
    for (; inside.size > 0; place++) {
        bool good = asn1_any(&inside, &tag, &part, &whole);
        if (good && place == SUBJECT) {
            certificate->subject = part;
        } else if (good && place == KEY) {
            certificate->key = whole;
            good = take_key(part, certificate);
        } else if (good && place > KEY && tag == DER_CONTEXT_INSIDE(3)) {
            good = take_extensions(part, certificate);
        }
        if (!good) {
            return false;
        }
    }
    return place > KEY;
}

/* wolfSSL looks at it when it takes the chain: context.c has told it the least sizes. */
bool signature_key_is_strong(const struct certificate *certificate, bool *no_memory) {
    (void)certificate;
    *no_memory = false;
    return true;
}

/* ---- trust ---- */

portls_status trust_load(struct backend_context *context, const struct backend_settings *settings,
                         portls_error *error) {
    context->roots_count = settings->roots_count;
    for (size_t i = 0; i < settings->roots_count; i++) {
        /* One that is out of date is an error of the handshakes that need it. */
        int result = wolfSSL_CTX_load_verify_buffer_ex(
            context->ssl_context, settings->roots[i].bytes, (long)settings->roots[i].size,
            WOLFSSL_FILETYPE_ASN1, 0, WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY);
        if (result != WOLFSSL_SUCCESS) {
            return fail_library(error, PORTLS_BAD_CERTIFICATE, result,
                                "wolfSSL refuses one of the trusted roots");
        }
    }
    return PORTLS_OK;
}

/* ---- the peer ---- */

static portls_verify_reason reason_of(int code) {
    static const struct code_meaning reasons[] = {
        {.code = ASN_NO_SIGNER_E, .means = PORTLS_VERIFY_UNTRUSTED},
        {.code = ASN_SELF_SIGNED_E, .means = PORTLS_VERIFY_UNTRUSTED},
        {.code = ASN_AFTER_DATE_E, .means = PORTLS_VERIFY_EXPIRED},
        {.code = ASN_BEFORE_DATE_E, .means = PORTLS_VERIFY_NOT_YET_VALID},
        {.code = EXTKEYUSE_AUTH_E, .means = PORTLS_VERIFY_PURPOSE},
        {.code = KEYUSE_SIGNATURE_E, .means = PORTLS_VERIFY_PURPOSE},
        {.code = ASN_PATHLEN_INV_E, .means = PORTLS_VERIFY_CONSTRAINT},
        {.code = ASN_PATHLEN_SIZE_E, .means = PORTLS_VERIFY_CONSTRAINT},
        {.code = ASN_NAME_INVALID_E, .means = PORTLS_VERIFY_CONSTRAINT},
        {.code = ASN_CRIT_EXT_E, .means = PORTLS_VERIFY_CONSTRAINT},
        {.code = NOT_CA_ERROR, .means = PORTLS_VERIFY_CONSTRAINT},
        {.code = ASN_SIG_CONFIRM_E, .means = PORTLS_VERIFY_SIGNATURE},
        {.code = ASN_SIG_HASH_E, .means = PORTLS_VERIFY_SIGNATURE},
        {.code = ASN_SIG_OID_E, .means = PORTLS_VERIFY_SIGNATURE},
        {.code = ASN_SIG_KEY_E, .means = PORTLS_VERIFY_SIGNATURE},
        {.code = ECC_KEY_SIZE_E, .means = PORTLS_VERIFY_SIGNATURE},
        {.code = 0, .means = PORTLS_VERIFY_OTHER},
    };
    return (portls_verify_reason)code_meaning_of(reasons, code)->means;
}

/* Whether the peer's own certificate is for the host that is asked for, if one is. */
static bool is_for_host(const struct backend_session *session,
                        const WOLFSSL_X509_STORE_CTX *store) {
    struct backend_blob der = {store->certs[0].buffer, store->certs[0].length};
    struct certificate certificate;
    return session->verify_host == NULL ||
           (certificate_parse(&der, &certificate) &&
            host_matches(&certificate, session->verify_host, session->verify_host_is_address));
}

/* Called once per certificate of a message, the peer's own last: it is what counts, and what was
   wrong with another says why. */
static int on_certificate(int good, WOLFSSL_X509_STORE_CTX *store) {
    struct backend_session *session = store->userCtx;
    if (session == NULL) {
        return 0;
    }
    struct peer_judgement *peer = &session->peer;
    if (!session->context->verify) {
        return 1;
    }
    if (store->certs == NULL || store->totalCerts <= 0) {
        return good; /* a client without a certificate, which wolfSSL has judged */
    }
    if (!good && peer->reason == PORTLS_VERIFY_OK) {
        peer->reason = reason_of(store->error);
    }
    if (store->error_depth == 0) {
        peer->seen = true;
        if (good && !is_for_host(session, store)) {
            peer->reason = PORTLS_VERIFY_NAME;
            return 0;
        }
        if (good) {
            peer->reason = PORTLS_VERIFY_OK;
        }
    }
    return good;
}

void verify_install(WOLFSSL_CTX *ssl_context, const struct backend_settings *settings) {
    int mode = WOLFSSL_VERIFY_NONE;
    if (settings->verify) {
        mode = WOLFSSL_VERIFY_PEER;
        if (settings->role == PORTLS_SERVER) {
            mode |= WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT;
            (void)wolfSSL_CTX_mutual_auth(ssl_context, 1);
        }
    }
    wolfSSL_CTX_set_verify(ssl_context, mode, on_certificate);
}

void verify_undecoded(struct backend_session *session, int code) {
    struct peer_judgement *peer = &session->peer;
    peer->seen = true;
    if (peer->reason == PORTLS_VERIFY_OK) {
        peer->reason = reason_of(code);
    }
}

bool verify_holds(const struct backend_session *session) {
    return !session->context->verify ||
           (session->peer.seen && session->peer.reason == PORTLS_VERIFY_OK);
}

const char *verify_subject(const struct backend_session *session) {
    (void)session;
    return "";
}

portls_status verify_fail(const struct backend_session *session, portls_error *error) {
    const struct peer_judgement *peer = &session->peer;
    portls_verify_reason reason = peer->seen ? peer->reason : PORTLS_VERIFY_NO_CERTIFICATE;
    const struct backend_refusal refusal = {
        .role = session->context->role,
        .reason = reason == PORTLS_VERIFY_OK ? PORTLS_VERIFY_OTHER : reason,
        .has_roots = session->context->roots_count > 0,
        .subject = BACKEND_SAID("as wolfSSL judges it"),
        .host = session->verify_host,
        .host_is_address = session->verify_host_is_address,
    };
    return backend_refuse(&refusal, error);
}
