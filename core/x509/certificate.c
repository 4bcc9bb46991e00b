/* Certificate parser. */
#include "core/x509/certificate.h"

#include "core/x509/distinguished_name.h"

/* ---- times ---- */

static bool two_digits(const uint8_t **cursor, int64_t min, int64_t max, int64_t *value) {
    const uint8_t *text = *cursor;
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *value = (text[0] - '0') * 10 + (text[1] - '0');
    *cursor += 2;
    return *value >= min && *value <= max;
}

/* Returns the days from 1970-01-01 to the first of a month in the Gregorian calendar. */
static int64_t days_before(int64_t year, int64_t month) {
    static const int days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t past = year - 1;
    int64_t since_year_one = past * 365 + past / 4 - past / 100 + past / 400;
    return since_year_one - 719162 + days[month - 1] + (leap && month > 2 ? 1 : 0);
}

/* Takes a UTCTime or GeneralizedTime, only as RFC 5280 allows: in UTC, with seconds. */
static bool take_time(struct backend_blob *cursor, int64_t *seconds) {
    uint8_t tag = 0;
    struct backend_blob text;
    if (!der_next(cursor, &tag, &text, NULL)) {
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

/* ---- extensions; each function takes the content of the OCTET STRING ---- */

static bool parse_basic_constraints(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    struct backend_blob part;
    bool present = false;
    if (!der_take(&value, DER_SEQUENCE, &inside) || value.size > 0 ||
        !der_take_optional(&inside, DER_BOOLEAN, &part, &present) ||
        (present && !der_boolean(&part, &certificate->is_authority)) ||
        !der_take_optional(&inside, DER_INTEGER, &part, &certificate->has_path_length) ||
        inside.size > 0) {
        return false;
    }
    return !certificate->has_path_length ||
           der_small_integer(&part, INT32_MAX, &certificate->path_length);
}

static bool parse_key_usage(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob bits;
    if (!der_take(&value, DER_BIT_STRING, &bits) || value.size > 0 || bits.size < 1 ||
        bits.size > 3) {
        return false;
    }
    certificate->key_usage = bits.size > 1 ? bits.bytes[1] : 0;
    return true;
}

static bool parse_purposes(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    if (!der_take(&value, DER_SEQUENCE, &inside) || value.size > 0) {
        return false;
    }
    while (inside.size > 0) {
        struct backend_blob purpose;
        if (!der_take(&inside, DER_OID, &purpose)) {
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
    return der_take(&value, DER_SEQUENCE, inside) && value.size == 0;
}

static bool parse_subject_key_id(struct backend_blob value, struct certificate *certificate) {
    return der_take(&value, DER_OCTET_STRING, &certificate->subject_key_id) && value.size == 0;
}

static bool parse_issuer_key_id(struct backend_blob value, struct certificate *certificate) {
    struct backend_blob inside;
    bool present = false;
    return der_take(&value, DER_SEQUENCE, &inside) && value.size == 0 &&
           der_take_optional(&inside, DER_CONTEXT(0), &certificate->issuer_key_id, &present);
}

/* Returns whether to ignore the extension even if critical: it matters only for policies and
   revocation, which are not checked. */
static bool is_ignorable(uint8_t number) {
    return number == 0x20 || number == 0x1f || number == 0x21 || number == 0x24 || number == 0x36;
}

/* Parses an extension under 2.5.29. Returns false if it is malformed or duplicated. */
static bool parse_extension(uint8_t number, struct backend_blob value, bool critical,
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
        if (critical && !is_ignorable(number)) {
            certificate->unknown_critical = true;
        }
        return true;
    }
}

static bool parse_extensions(struct backend_blob list, struct certificate *certificate) {
    struct backend_blob extensions;
    if (!der_take(&list, DER_SEQUENCE, &extensions) || list.size > 0) {
        return false;
    }
    while (extensions.size > 0) {
        struct backend_blob one;
        struct backend_blob type;
        struct backend_blob part;
        struct backend_blob value;
        bool present = false;
        bool critical = false;
        if (!der_take(&extensions, DER_SEQUENCE, &one) || !der_take(&one, DER_OID, &type) ||
            !der_take_optional(&one, DER_BOOLEAN, &part, &present) ||
            (present && !der_boolean(&part, &critical)) ||
            !der_take(&one, DER_OCTET_STRING, &value) || one.size > 0) {
            return false;
        }
        if (type.size == 3 && type.bytes[0] == 0x55 && type.bytes[1] == 0x1d) {
            if (!parse_extension(type.bytes[2], value, critical, certificate)) {
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
    return der_take(cursor, DER_SEQUENCE, &validity) &&
           take_time(&validity, &certificate->not_before) &&
           take_time(&validity, &certificate->not_after) && validity.size == 0;
}

static bool parse_key(struct backend_blob *cursor, struct certificate *certificate) {
    uint8_t tag = 0;
    struct backend_blob inside;
    struct backend_blob type = {NULL, 0};
    bool whole = der_next(cursor, &tag, &inside, &certificate->key) && tag == DER_SEQUENCE &&
                 der_take(&inside, DER_SEQUENCE, &type) &&
                 der_take(&type, DER_OID, &certificate->key_type) &&
                 der_take_bits(&inside, &certificate->key_bits) && inside.size == 0;
    certificate->key_parameters = type;
    return whole;
}

/* Takes the version, which version 1 omits. */
static bool parse_version(struct backend_blob *cursor, uint32_t *version) {
    struct backend_blob inside;
    struct backend_blob number;
    bool present = false;
    *version = 0;
    return der_take_optional(cursor, DER_CONTEXT_CONSTRUCTED(0), &inside, &present) &&
           (!present || (der_take(&inside, DER_INTEGER, &number) && inside.size == 0 &&
                         der_small_integer(&number, 2, version)));
}

static bool parse_signed_part(struct backend_blob part, struct backend_blob *algorithm,
                              struct certificate *certificate) {
    uint32_t version = 0;
    struct backend_blob skipped;
    struct backend_blob extensions;
    bool present = false;
    if (!parse_version(&part, &version) || !der_take(&part, DER_INTEGER, &skipped) ||
        !der_take(&part, DER_SEQUENCE, algorithm) ||
        !der_take(&part, DER_SEQUENCE, &certificate->issuer) ||
        !parse_validity(&part, certificate) ||
        !der_take(&part, DER_SEQUENCE, &certificate->subject) || !parse_key(&part, certificate) ||
        !der_take_optional(&part, DER_CONTEXT(1), &skipped, &present) ||
        !der_take_optional(&part, DER_CONTEXT(2), &skipped, &present) ||
        !der_take_optional(&part, DER_CONTEXT_CONSTRUCTED(3), &extensions, &present) ||
        part.size > 0) {
        return false;
    }
    certificate->is_version_1 = version == 0;
    if (!name_is_valid(&certificate->issuer) || !name_is_valid(&certificate->subject)) {
        return false;
    }
    return !present || (version == 2 && parse_extensions(extensions, certificate));
}

bool certificate_parse(const struct backend_blob *der, struct certificate *certificate) {
    memset(certificate, 0, sizeof *certificate);
    struct backend_blob cursor = *der;
    struct backend_blob inside;
    struct backend_blob part;
    struct backend_blob algorithm;
    struct backend_blob signed_algorithm;
    uint8_t tag = 0;
    certificate->der = *der;
    if (!der_take(&cursor, DER_SEQUENCE, &inside) || cursor.size > 0 ||
        !der_next(&inside, &tag, &part, &certificate->signed_part) || tag != DER_SEQUENCE ||
        !parse_signed_part(part, &signed_algorithm, certificate) ||
        !der_take(&inside, DER_SEQUENCE, &algorithm) ||
        !der_take_bits(&inside, &certificate->signature) || inside.size > 0) {
        return false;
    }
    /* The signature algorithm appears twice, once in the signed part. */
    if (!der_equal(&algorithm, &signed_algorithm) ||
        !der_take(&algorithm, DER_OID, &certificate->signature_type)) {
        return false;
    }
    certificate->signature_parameters = algorithm;
    return true;
}

/* Returns whether the key identifiers match, or either certificate has none. */
static bool key_ids_match(const struct certificate *issuer, const struct certificate *certificate) {
    return issuer->subject_key_id.size == 0 || certificate->issuer_key_id.size == 0 ||
           der_equal(&issuer->subject_key_id, &certificate->issuer_key_id);
}

bool certificate_may_issue(const struct certificate *issuer,
                           const struct certificate *certificate) {
    return name_equal(&issuer->subject, &certificate->issuer) && key_ids_match(issuer, certificate);
}
