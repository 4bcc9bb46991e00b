/* Maps the X509_V_ERR_… codes that OpenSSL and LibreSSL share to verify reasons. Include the
   library's <openssl/x509_vfy.h> first. */
#ifndef BACKENDS_X509_REASON_H
#define BACKENDS_X509_REASON_H

#include "backends/backend.h"

static inline portls_verify_reason backend_x509_reason(int code) {
    switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
        return PORTLS_VERIFY_UNTRUSTED;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
        return PORTLS_VERIFY_LIMIT;
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
    case X509_V_ERR_INVALID_EXTENSION:
        return PORTLS_VERIFY_MALFORMED;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return PORTLS_VERIFY_SELF_SIGNED;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return PORTLS_VERIFY_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return PORTLS_VERIFY_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return PORTLS_VERIFY_NAME;
    case X509_V_ERR_INVALID_PURPOSE:
        return PORTLS_VERIFY_PURPOSE;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
        return PORTLS_VERIFY_CONSTRAINT;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
#if defined(X509_V_ERR_EC_KEY_EXPLICIT_PARAMS)
    case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
#endif
        return PORTLS_VERIFY_SIGNATURE;
    case X509_V_ERR_CERT_REVOKED:
        return PORTLS_VERIFY_REVOKED;
    default:
        return PORTLS_VERIFY_OTHER;
    }
}

/* Returns a code of the library for a reason of core/x509, one that backend_x509_reason maps back
   and that leads to a fitting alert. */
static inline int backend_x509_code(portls_verify_reason reason) {
    switch (reason) {
    case PORTLS_VERIFY_MALFORMED:
        return X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD;
    case PORTLS_VERIFY_LIMIT:
        return X509_V_ERR_CERT_CHAIN_TOO_LONG;
    case PORTLS_VERIFY_PURPOSE:
        return X509_V_ERR_INVALID_PURPOSE;
    case PORTLS_VERIFY_CONSTRAINT:
        return X509_V_ERR_PERMITTED_VIOLATION;
    case PORTLS_VERIFY_SIGNATURE:
        return X509_V_ERR_CA_MD_TOO_WEAK;
    default:
        return X509_V_ERR_UNSPECIFIED;
    }
}

/* Reports that the peer's certificate was refused with `code`, of the certificate `depth` of its
   chain; X509_V_OK: the peer sent none. Returns what backend_refuse returns. */
static inline portls_status backend_x509_refuse(struct backend_failure *failure, int code,
                                                int depth, const char *subject, bool has_roots) {
    if (code == X509_V_OK) {
        return backend_refuse(failure, PORTLS_VERIFY_NO_CERTIFICATE, depth, subject);
    }
    portls_verify_reason reason = backend_x509_reason(code);
    failure->code = code;
    return backend_refuse(failure, has_roots ? reason : backend_reason_without_roots(reason), depth,
                          subject);
}

#endif
