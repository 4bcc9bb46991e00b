/* Name constraints (RFC 5280 4.2.1.10) on DNS names and addresses. LibreSSL treats not-in.test as a
   name below in.test, so its verdict is not sufficient either to accept or to reject a chain. */
#include <string.h>

#include "backends/libtls/libssl.h"

/* The check of one chain. The peer controls how many names are compared with how many subtrees, so
   comparisons are limited. */
struct check {
    const NAME_CONSTRAINTS *constraints; /* of the current issuer */
    int comparisons_left;
};

/* ---- one name and one subtree ---- */

static unsigned char to_lower(unsigned char c) {
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
}

/* Returns whether the name equals the base, or has more labels before it. */
static bool is_in_domain(const ASN1_STRING *name, const ASN1_STRING *base) {
    const unsigned char *bytes = ASN1_STRING_get0_data(name);
    const unsigned char *end = ASN1_STRING_get0_data(base);
    int more = ASN1_STRING_length(name) - ASN1_STRING_length(base);
    if (ASN1_STRING_length(base) == 0) {
        return true;
    }
    if (more < 0 || (more > 0 && end[0] != '.' && bytes[more - 1] != '.')) {
        return false;
    }
    for (int i = 0; i < ASN1_STRING_length(base); i++) {
        if (to_lower(bytes[more + i]) != to_lower(end[i])) {
            return false;
        }
    }
    return true;
}

/* Matches an address; the base is an address and a mask of the same size. */
static bool is_in_network(const ASN1_STRING *address, const ASN1_STRING *base) {
    const unsigned char *bytes = ASN1_STRING_get0_data(address);
    const unsigned char *network = ASN1_STRING_get0_data(base);
    int size = ASN1_STRING_length(address);
    if (ASN1_STRING_length(base) != 2 * size) {
        return false;
    }
    for (int i = 0; i < size; i++) {
        if (((bytes[i] ^ network[i]) & network[size + i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool is_within(int type, const ASN1_STRING *name, const GENERAL_NAME *base) {
    return type == GEN_DNS ? is_in_domain(name, base->d.dNSName)
                           : is_in_network(name, base->d.iPAddress);
}

/* ---- one name and an issuer's constraints ---- */

/* Counts the subtrees of the name's type. Returns whether the name is in one of them. */
static bool match_subtrees(struct check *check, int type, const ASN1_STRING *name,
                           STACK_OF(GENERAL_SUBTREE) * subtrees, int *count) {
    bool found = false;
    *count = 0;
    for (int i = 0; subtrees != NULL && i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
        const GENERAL_NAME *base = sk_GENERAL_SUBTREE_value(subtrees, i)->base;
        if (check->comparisons_left == 0) {
            return false;
        }
        check->comparisons_left--;
        if (base->type == type) {
            ++*count;
            found = found || is_within(type, name, base);
        }
    }
    return found;
}

static int check_name(struct check *check, int type, const ASN1_STRING *name) {
    int permitted = 0;
    int excluded = 0;
    bool inside =
        match_subtrees(check, type, name, check->constraints->permittedSubtrees, &permitted);
    bool outside =
        match_subtrees(check, type, name, check->constraints->excludedSubtrees, &excluded);
    if (check->comparisons_left == 0) {
        return X509_V_ERR_UNSPECIFIED;
    }
    if (permitted > 0 && !inside) {
        return X509_V_ERR_PERMITTED_VIOLATION;
    }
    return outside ? X509_V_ERR_EXCLUDED_VIOLATION : X509_V_OK;
}

/* ---- one certificate and an issuer's constraints ---- */

/* Returns whether a common name may be a host name, with or without a dot; others name people or
   things. */
static bool looks_like_host(const ASN1_STRING *name) {
    const unsigned char *bytes = ASN1_STRING_get0_data(name);
    for (int i = 0; i < ASN1_STRING_length(name); i++) {
        unsigned char c = to_lower(bytes[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_' &&
            c != '*' && c != '.') {
            return false;
        }
    }
    return ASN1_STRING_length(name) > 0;
}

static int check_common_names(struct check *check, X509 *leaf) {
    X509_NAME *subject = X509_get_subject_name(leaf);
    int code = X509_V_OK;
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    while (code == X509_V_OK && at >= 0) {
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
        unsigned char *text = NULL;
        int size = ASN1_STRING_to_UTF8(&text, value);
        ASN1_STRING *name = ASN1_STRING_new();
        if (size < 0 || name == NULL || ASN1_STRING_set(name, text, size) != 1) {
            code = X509_V_ERR_UNSPECIFIED;
        } else if (looks_like_host(name)) {
            code = check_name(check, GEN_DNS, name);
        }
        ASN1_STRING_free(name);
        OPENSSL_free(text);
        at = X509_NAME_get_index_by_NID(subject, NID_commonName, at);
    }
    return code;
}

/* Checks a certificate's names. The common name counts as a host only without a subject alternative
   name. */
static int check_certificate(struct check *check, X509 *certificate, bool is_leaf) {
    int critical = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
    if (names == NULL) {
        if (critical != -1) {
            return X509_V_ERR_UNSUPPORTED_NAME_SYNTAX;
        }
        return is_leaf ? check_common_names(check, certificate) : X509_V_OK;
    }
    int code = X509_V_OK;
    for (int i = 0; code == X509_V_OK && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            code = check_name(check, GEN_DNS, name->d.dNSName);
        } else if (name->type == GEN_IPADD) {
            code = check_name(check, GEN_IPADD, name->d.iPAddress);
        }
    }
    GENERAL_NAMES_free(names);
    return code;
}

/* ---- a chain ---- */

static bool are_supported(STACK_OF(GENERAL_SUBTREE) * subtrees) {
    for (int i = 0; subtrees != NULL && i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
        const GENERAL_SUBTREE *subtree = sk_GENERAL_SUBTREE_value(subtrees, i);
        int type = subtree->base->type;
        if ((type != GEN_DNS && type != GEN_IPADD) || subtree->minimum != NULL ||
            subtree->maximum != NULL) {
            return false;
        }
        int size = type == GEN_IPADD ? ASN1_STRING_length(subtree->base->d.iPAddress) : 8;
        if (size != 8 && size != 32) {
            return false;
        }
    }
    return true;
}

/* Checks the certificates below the issuer against its constraints, except self-issued
   intermediates. */
static int check_below(struct check *check, STACK_OF(X509) * chain, int issuer, int *depth) {
    for (int i = 0; i < issuer; i++) {
        X509 *certificate = sk_X509_value(chain, i);
        bool self_issued = i > 0 && X509_NAME_cmp(X509_get_subject_name(certificate),
                                                  X509_get_issuer_name(certificate)) == 0;
        int code = self_issued ? X509_V_OK : check_certificate(check, certificate, i == 0);
        if (code != X509_V_OK) {
            *depth = i;
            return code;
        }
    }
    return X509_V_OK;
}

int constraints_check(STACK_OF(X509) * chain, bool reject_unsupported, int *depth) {
    struct check check = {NULL, 1 << 20};
    int code = X509_V_OK;
    for (int i = 1; code == X509_V_OK && i < sk_X509_num(chain); i++) {
        int critical = 0;
        NAME_CONSTRAINTS *constraints =
            X509_get_ext_d2i(sk_X509_value(chain, i), NID_name_constraints, &critical, NULL);
        *depth = i;
        if (constraints == NULL) {
            code = critical == -1 ? X509_V_OK : X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX;
        } else if (reject_unsupported && !(are_supported(constraints->permittedSubtrees) &&
                                           are_supported(constraints->excludedSubtrees))) {
            code = X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE;
        } else {
            check.constraints = constraints;
            code = check_below(&check, chain, i, depth);
        }
        NAME_CONSTRAINTS_free(constraints);
    }
    return code;
}
