/*
 * An X.509 certificate: the positions of its parts in the DER, and the values of its extensions.
 * Independent of any TLS library. A backend that is built as a module links this file too.
 */
#ifndef CORE_X509_CERTIFICATE_H
#define CORE_X509_CERTIFICATE_H

#include "core/x509/der.h"

/* Bits of the key usage extension. */
enum {
    KEY_USAGE_DIGITAL_SIGNATURE = 0x80,
    KEY_USAGE_CERTIFICATE_SIGNING = 0x04,
};

/* Bits of the Netscape certificate type extension. */
enum {
    NETSCAPE_CLIENT = 0x80,
    NETSCAPE_SERVER = 0x40,
    NETSCAPE_AUTHORITY = 0x04, /* of clients and servers */
};

/* All blobs point into the parsed DER. Times are in seconds since 1970. */
struct certificate {
    struct backend_blob der;
    struct backend_blob signed_part;
    struct backend_blob signature_type;       /* the content of its OID */
    struct backend_blob signature_parameters; /* what follows the OID; may be empty */
    struct backend_blob signature;
    struct backend_blob serial;          /* the content of the INTEGER */
    struct backend_blob issuer, subject; /* the contents of the Names */
    struct backend_blob key;             /* the SubjectPublicKeyInfo */
    struct backend_blob key_type;        /* the content of its OID */
    struct backend_blob key_parameters;  /* what follows that OID; may be empty */
    struct backend_blob key_bits;        /* its BIT STRING's bytes */
    int64_t not_before, not_after;
    uint32_t path_length;
    bool is_version_1; /* has no extensions */
    bool unknown_critical;
    bool has_basic_constraints, is_authority, has_path_length;
    bool has_key_usage;
    uint8_t key_usage;
    bool has_purposes, for_servers, for_clients;
    bool has_netscape_type;
    uint8_t netscape_type;
    bool has_alternative_names, has_name_constraints;
    struct backend_blob alternative_names; /* the contents of the SEQUENCEs */
    struct backend_blob name_constraints;
    /* The key identifiers: of the subject, and of the issuer, with the names and the serial number
       of the issuer's certificate. Empty if absent. */
    struct backend_blob subject_key_id, issuer_key_id, issuer_key_names, issuer_key_serial;
};

/*
 * Parses a certificate. Returns false if it is malformed: it is not DER, or breaks the syntax of
 * RFC 5280. Accepts what certificates have that are in use: serial numbers that are negative, zero
 * or long, an explicit default of a BOOLEAN, and a list of alternative names that is empty.
 */
bool certificate_parse(const struct backend_blob *der, struct certificate *certificate);

/* Returns whether `issuer` can have issued `certificate` by its name and key identifier. Does not
   check the signature. */
bool certificate_may_issue(const struct certificate *issuer, const struct certificate *certificate);

#endif
