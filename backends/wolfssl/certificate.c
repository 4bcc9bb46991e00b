/* Parsing certificates. */
#include "backends/wolfssl/certificate.h"

#include "backends/wolfssl/distinguished_name.h"

/* ---- times ---- */

static bool two_digits(const uint8_t **cursor, int64_t least, int64_t most, int64_t *value) {
    const uint8_t *text = *cursor;
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *value = (text[0] - '0') * 10 + (text[1] - '0');
    *cursor += 2;
    return *value >= least && *value <= most;
}

/* Days from 1970-01-01 to the first of a month, by the Gregorian calendar. */
static int64_t days_before(int64_t year, int64_t month) {
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t past = year - 1;
    int64_t since_year_one = past * 365 + past / 4 - past / 100 + past / 400;
    return since_year_one - 719162 + days[month - 1] + (leap && month > 2 ? 1 : 0);
}

/* UTCTime and GeneralizedTime in the one form that RFC 5280 allows: to the second, in UTC. */
static bool take_time(struct backend_blob *cursor, int64_t *seconds) {
    uint8_t tag = 0;
    struct backend_blob text;
    if (!asn1_any(cursor, &tag, &text, NULL)) {
        return false;
    }
    int64_t century = 0;
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    const uint8_t *at = text.bytes;
    bool general = tag == DER_GENERALIZED_TIME;
    if (text.size != (general ? 15U : 13U) || (!general && tag != DER_UTC_TIME) ||
        (general && !two_digits(&at, 0, 99, &century)) || !two_digits(&at, 0, 99, &year) ||
        !two_digits(&at, 1, 12, &month) || !two_digits(&at, 1, 31, &day) ||
        !two_digits(&at, 0, 23, &hour) || !two_digits(&at, 0, 59, &minute) ||
        !two_digits(&at, 0, 59, &second) || *at != 'Z') {
        return false;
    }
    if (!general) {
        century = year < 50 ? 20 : 19;
    }
    year += century * 100;
    if (year == 0) {
        return false;
    }
    *seconds = ((days_before(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second;
    return true;
}

/* ---- extensions; each gets the content of its OCTET STRING ---- */

static bool parse_basic_constraints(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    struct backend_blob part;
    bool there = false;
    if (!asn1_take(&value, DER_SEQUENCE, &inside) || value.size > 0 ||
        !asn1_maybe(&inside, DER_BOOLEAN, &part, &there) ||
        (there && !asn1_boolean(&part, &certificate->is_authority)) ||
        !asn1_maybe(&inside, DER_INTEGER, &part, &certificate->has_path_length) ||
        inside.size > 0) {
        return false;
    }
    return !certificate->has_path_length ||
           asn1_small_number(&part, INT32_MAX, &certificate->path_length);
}

static bool parse_key_usage(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob bits;
    if (!asn1_take(&value, DER_BIT_STRING, &bits) || value.size > 0 || bits.size < 1 ||
        bits.size > 3) {
        return false;
    }
    certificate->key_usage = bits.size > 1 ? bits.bytes[1] : 0;
    return true;
}

static bool parse_purposes(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    if (!asn1_take(&value, DER_SEQUENCE, &inside) || value.size > 0) {
        return false;
    }
    while (inside.size > 0) {
        struct backend_blob purpose;
        if (!asn1_take(&inside, DER_OID, &purpose)) {
            return false;
        }
        if (DER_IS_OID(&purpose, "\x2b\x06\x01\x05\x05\x07\x03\x01")) {
            certificate->for_servers = true;
        } else if (DER_IS_OID(&purpose, "\x2b\x06\x01\x05\x05\x07\x03\x02")) {
            certificate->for_clients = true;
        }
    }
    return true;
}

static bool parse_sequence(struct backend_blob value, struct backend_blob *inside) {
    return asn1_take(&value, DER_SEQUENCE, inside) && value.size == 0;
}

static bool parse_subject_key_id(struct backend_blob value, struct certificate *certificate) {
    return asn1_take(&value, DER_OCTET_STRING, &certificate->subject_key_id) && value.size == 0;
}

static bool parse_issuer_key_id(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    bool there = false;
    return asn1_take(&value, DER_SEQUENCE, &inside) && value.size == 0 &&
           asn1_maybe(&inside, DER_CONTEXT(0), &certificate->issuer_key_id, &there);
}

/* Extensions that may be critical although nothing is done about them: they only matter where
   policies are asked for, or revocation. */
static bool is_harmless(uint8_t number) {
    return number == 0x20 || number == 0x1f || number == 0x21 || number == 0x24 || number == 0x36;
}

/* One of those of 2.5.29; false when it is malformed or there twice. */
static bool parse_known(uint8_t number, struct backend_blob value, bool critical,
                        struct certificate *certificate) {
    bool seen = false;
    switch (number) {
    case 0x13:
        seen = certificate->has_basic_constraints;
        certificate->has_basic_constraints = true;
        return !seen && parse_basic_constraints(value, certificate);
    case 0x0f:
        seen = certificate->has_key_usage;
        certificate->has_key_usage = true;
        return !seen && parse_key_usage(value, certificate);
    case 0x25:
        seen = certificate->has_purposes;
        certificate->has_purposes = true;
        return !seen && parse_purposes(value, certificate);
    case 0x11:
        seen = certificate->has_alternative_names;
        certificate->has_alternative_names = true;
        return !seen && parse_sequence(value, &certificate->alternative_names);
    case 0x1e:
        seen = certificate->has_name_constraints;
        certificate->has_name_constraints = true;
        return !seen && parse_sequence(value, &certificate->name_constraints);
    case 0x0e:
        return certificate->subject_key_id.bytes == NULL &&
               parse_subject_key_id(value, certificate);
    case 0x23:
        return certificate->issuer_key_id.bytes == NULL && parse_issuer_key_id(value, certificate);
    default:
        if (critical && !is_harmless(number)) {
            certificate->unknown_critical = true;
        }
        return true;
    }
}

static bool parse_extensions(struct backend_blob list, struct certificate *certificate) {
    struct backend_blob extensions;
    if (!asn1_take(&list, DER_SEQUENCE, &extensions) || list.size > 0) {
        return false;
    }
    while (extensions.size > 0) {
        struct backend_blob one;
        struct backend_blob type;
        struct backend_blob part;
        struct backend_blob value;
        bool there = false;
        bool critical = false;
        if (!asn1_take(&extensions, DER_SEQUENCE, &one) || !asn1_take(&one, DER_OID, &type) ||
            !asn1_maybe(&one, DER_BOOLEAN, &part, &there) ||
            (there && !asn1_boolean(&part, &critical)) ||
            !asn1_take(&one, DER_OCTET_STRING, &value) || one.size > 0) {
            return false;
        }
        if (type.size == 3 && type.bytes[0] == 0x55 && type.bytes[1] == 0x1d) {
            if (!parse_known(type.bytes[2], value, critical, certificate)) {
                return false;
            }
        } else if (critical) {
            certificate->unknown_critical = true;
        }
    }
    return true;
}

/* ---- the certificate ---- */

static bool parse_validity(struct backend_blob *cursor, struct certificate *certificate) {
    struct backend_blob validity;
    return asn1_take(cursor, DER_SEQUENCE, &validity) &&
           take_time(&validity, &certificate->not_before) &&
           take_time(&validity, &certificate->not_after) && validity.size == 0;
}

static bool parse_key(struct backend_blob *cursor, struct certificate *certificate) {
    uint8_t tag = 0;
    struct backend_blob inside;
    struct backend_blob type;
    return asn1_any(cursor, &tag, &inside, &certificate->key) && tag == DER_SEQUENCE &&
           asn1_take(&inside, DER_SEQUENCE, &type) &&
           asn1_take(&type, DER_OID, &certificate->key_type) &&
           asn1_take_bits(&inside, &certificate->key_bits) && inside.size == 0;
}

/* The version, which is not written down for version 1. */
static bool parse_version(struct backend_blob *cursor, uint32_t *version) {
    struct backend_blob inside;
    struct backend_blob number;
    bool there = false;
    *version = 0;
    return asn1_maybe(cursor, DER_CONTEXT_INSIDE(0), &inside, &there) &&
           (!there || (asn1_take(&inside, DER_INTEGER, &number) && inside.size == 0 &&
                       asn1_small_number(&number, 2, version)));
}

static bool parse_signed_part(struct backend_blob part, struct backend_blob *algorithm,
                              struct certificate *certificate) {
    uint32_t version = 0;
    struct backend_blob skipped;
    struct backend_blob extensions;
    bool there = false;
    if (!parse_version(&part, &version) || !asn1_take(&part, DER_INTEGER, &skipped) ||
        !asn1_take(&part, DER_SEQUENCE, algorithm) ||
        !asn1_take(&part, DER_SEQUENCE, &certificate->issuer) ||
        !parse_validity(&part, certificate) ||
        !asn1_take(&part, DER_SEQUENCE, &certificate->subject) || !parse_key(&part, certificate) ||
        !asn1_maybe(&part, DER_CONTEXT(1), &skipped, &there) ||
        !asn1_maybe(&part, DER_CONTEXT(2), &skipped, &there) ||
        !asn1_maybe(&part, DER_CONTEXT_INSIDE(3), &extensions, &there) || part.size > 0) {
        return false;
    }
    certificate->first_version = version == 0;
    if (!name_is_sound(&certificate->issuer) || !name_is_sound(&certificate->subject)) {
        return false;
    }
    return !there || (version == 2 && parse_extensions(extensions, certificate));
}

bool certificate_parse(const struct backend_blob *der, struct certificate *certificate) {
    memset(certificate, 0, sizeof *certificate);
    struct backend_blob cursor = *der;
    struct backend_blob inside;
    struct backend_blob part;
    struct backend_blob algorithm;
    struct backend_blob said_inside;
    uint8_t tag = 0;
    certificate->whole = *der;
    if (!asn1_take(&cursor, DER_SEQUENCE, &inside) || cursor.size > 0 ||
        !asn1_any(&inside, &tag, &part, &certificate->signed_part) || tag != DER_SEQUENCE ||
        !parse_signed_part(part, &said_inside, certificate) ||
        !asn1_take(&inside, DER_SEQUENCE, &algorithm) ||
        !asn1_take_bits(&inside, &certificate->signature) || inside.size > 0) {
        return false;
    }
    /* What signs it is said twice, once where it is signed itself. */
    if (!asn1_same(&algorithm, &said_inside) ||
        !asn1_take(&algorithm, DER_OID, &certificate->signature_type)) {
        return false;
    }
    certificate->signature_parameters = algorithm;
    return true;
}

/* Whether the key identifiers, where both have one, are the same. */
static bool has_key_of(const struct certificate *issuer, const struct certificate *certificate) {
    return issuer->subject_key_id.size == 0 || certificate->issuer_key_id.size == 0 ||
           asn1_same(&issuer->subject_key_id, &certificate->issuer_key_id);
}

bool certificate_may_issue(const struct certificate *issuer,
                           const struct certificate *certificate) {
    return name_same(&issuer->subject, &certificate->issuer) && has_key_of(issuer, certificate);
}
