/* Name constraints of RFC 5280 section 4.2.1.10. */
#ifndef CORE_X509_NAME_CONSTRAINTS_H
#define CORE_X509_NAME_CONSTRAINTS_H

#include "core/x509/certificate.h"
#include "core/x509/distinguished_name.h"

/* The comparisons of names and subtrees that a path may take, as many as OpenSSL allows. */
#define NAME_COMPARISONS_MAX ((size_t)1 << 20)

/* The working memory of name_constraints_hold, from the caller, since it is large for a small
   stack. The caller sets `left`. */
struct name_check {
    size_t left;                         /* comparisons that may still be made */
    struct backend_blob constraints;     /* the content of the authority's extension */
    struct backend_blob rdns, set;       /* cursors over the subject */
    struct name_attribute attribute;     /* of the subject */
    struct backend_blob names;           /* a cursor over the alternative names */
    struct backend_blob mailbox;         /* of an alternative name */
    struct backend_blob lists, subtrees; /* cursors over the constraints */
    struct constrained_name {
        uint8_t kind;
        bool is_understood;
        struct backend_blob value; /* the address, the content of the Name, or the text */
        struct backend_blob host;  /* of DNS names, mail addresses and URIs */
    } name;                        /* of the certificate */
    struct subtree {
        uint8_t kind;
        bool is_excluded;
        struct backend_blob base; /* the content of the GeneralName */
    } subtree;                    /* that it is compared with */
};

/*
 * Returns whether all names of `certificate` satisfy the name constraints of `authority`: its
 * subject, the mail addresses in that, its subject alternative names, and, of a leaf without these,
 * the common names that look like hosts, as for OpenSSL. Says no
 *  - to a constraint that is malformed or has a minimum or a maximum,
 *  - to a mail address in the subject that is not an IA5String,
 *  - to a name that is constrained but malformed, or of a kind other than DNS, mail (also in UTF-8,
 *    RFC 9598), directory, URI and address,
 *  - to a wildcard that stands for an excluded name.
 * Takes each comparison off `check->left`, and long names for several. Says no, with `left` 0, when
 * these do not suffice.
 */
bool name_constraints_hold(const struct certificate *authority,
                           const struct certificate *certificate, bool is_leaf,
                           struct name_check *check);

#endif
