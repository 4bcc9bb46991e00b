/* Checks a complete path. */
#include "core/x509/path.h"

#include "core/x509/distinguished_name.h"
#include "core/x509/strength.h"

static bool is_self_issued(const struct certificate *certificate) {
    return name_equal(&certificate->subject, &certificate->issuer);
}

/* ---- extensions ---- */

static bool is_valid_ca(const struct path *path, size_t depth) {
    const struct certificate *certificate = path->certificates[depth];
    if (certificate->has_key_usage &&
        (certificate->key_usage & KEY_USAGE_CERTIFICATE_SIGNING) == 0) {
        return false;
    }
    if (certificate->has_basic_constraints) {
        return certificate->is_authority;
    }
    /* Old roots lack basic constraints: version 1, or with a sufficient key usage or type. */
    bool trusted = depth + 1 == path->length;
    return trusted &&
           (certificate->has_key_usage || (certificate->netscape_type & NETSCAPE_AUTHORITY) != 0 ||
            (certificate->is_version_1 && is_self_issued(certificate)));
}

/* Returns whether the certificate allows its use. The leaf needs digitalSignature: the enabled
   suites of TLS 1.2 and 1.3 authenticate by signature only. */
static bool allows_purpose(const struct certificate *certificate, bool is_leaf, bool server) {
    if (certificate->has_purposes &&
        !(server ? certificate->for_servers : certificate->for_clients)) {
        return false;
    }
    if (!is_leaf) {
        return true;
    }
    return (!certificate->has_key_usage ||
            (certificate->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) != 0) &&
           (!certificate->has_netscape_type ||
            (certificate->netscape_type & (server ? NETSCAPE_SERVER : NETSCAPE_CLIENT)) != 0);
}

/* Checks the extensions of one certificate at its depth in the path. */
static portls_verify_reason check_certificate(const struct path *path, size_t depth,
                                              bool peer_is_server, size_t cas_below) {
    const struct certificate *certificate = path->certificates[depth];
    if (certificate->unknown_critical || (depth > 0 && !is_valid_ca(path, depth))) {
        return PORTLS_VERIFY_CONSTRAINT;
    }
    if (!allows_purpose(certificate, depth == 0, peer_is_server)) {
        return PORTLS_VERIFY_PURPOSE;
    }
    if (depth > 0 && certificate->has_path_length && cas_below > certificate->path_length) {
        return PORTLS_VERIFY_CONSTRAINT;
    }
    return PORTLS_VERIFY_OK;
}

portls_verify_reason path_check_extensions(const struct path *path, bool peer_is_server,
                                           size_t *depth) {
    size_t authorities = 0;
    for (*depth = 0; *depth < path->length; ++*depth) {
        portls_verify_reason reason = check_certificate(path, *depth, peer_is_server, authorities);
        if (reason != PORTLS_VERIFY_OK) {
            return reason;
        }
        /* Self-issued intermediates, made for a new key, do not count. */
        if (*depth > 0 && !is_self_issued(path->certificates[*depth])) {
            authorities++;
        }
    }
    *depth = 0;
    return PORTLS_VERIFY_OK;
}

/* ---- strength ---- */

portls_verify_reason path_check_strength(const struct path *path, size_t *depth) {
    for (size_t left = path->length; left > 0; left--) {
        const struct certificate *certificate = path->certificates[left - 1];
        bool is_trusted = left == path->length; /* its own signature does not count */
        *depth = left - 1;
        if (!strength_of_key(certificate) || (!is_trusted && !strength_of_signature(certificate))) {
            return PORTLS_VERIFY_SIGNATURE;
        }
    }
    *depth = 0;
    return PORTLS_VERIFY_OK;
}

/* ---- names ---- */

/* Checks the name constraints of every CA against all certificates below it. */
portls_verify_reason path_check_names(const struct path *path, struct name_check *check,
                                      size_t *depth) {
    check->left = NAME_COMPARISONS_MAX;
    for (size_t above = 1; above < path->length; above++) {
        for (*depth = 0; *depth < above; ++*depth) {
            const struct certificate *below = path->certificates[*depth];
            bool exempt = *depth > 0 && is_self_issued(below);
            if (!exempt &&
                !name_constraints_hold(path->certificates[above], below, *depth == 0, check)) {
                return check->left == 0 ? PORTLS_VERIFY_LIMIT : PORTLS_VERIFY_CONSTRAINT;
            }
        }
    }
    *depth = 0;
    return PORTLS_VERIFY_OK;
}
