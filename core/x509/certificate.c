/* Certificate parser. */
#include "core/x509/certificate.h"

#include "core/x509/distinguished_name.h"
#include "core/x509/extensions.h"
#include "core/x509/general_name.h"

/* ---- times ---- */

/* Takes a number of two digits. */
static bool two_digits(const uint8_t **cursor, int min, int max, int *value) {
    const uint8_t *text = *cursor;
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *value = (text[0] - '0') * 10 + (text[1] - '0');
    *cursor += 2;
    return *value >= min && *value <= max;
}

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* The days of a year before each month that is not leap, and before the next year. */
static const int16_t days_before_month[] = {0,   31,  59,  90,  120, 151, 181,
                                            212, 243, 273, 304, 334, 365};

static int days_of(int year, int month) {
    return days_before_month[month] - days_before_month[month - 1] +
           (month == 2 && is_leap(year) ? 1 : 0);
}

/* Returns the days from 1970-01-01 to the first of a month in the Gregorian calendar. */
static int32_t days_before(int year, int month) {
    int32_t past = year - 1;
    int32_t since_year_one = past * 365 + past / 4 - past / 100 + past / 400;
    return since_year_one - 719162 + days_before_month[month - 1] +
           (month > 2 && is_leap(year) ? 1 : 0);
}

/* Takes a UTCTime or GeneralizedTime, in UTC and with seconds, as RFC 5280 has them. That
   GeneralizedTime is for 2050 and later is not kept by authorities that are in use. */
static bool take_time(struct backend_blob *cursor, int64_t *seconds) {
    uint8_t tag = 0;
    struct backend_blob text;
    if (!der_next(cursor, &tag, &text, NULL)) {
        return false;
    }
    int century = 0;
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    const uint8_t *at = text.bytes;
    bool general = tag == DER_GENERALIZED_TIME;
    if (text.size != (general ? 15U : 13U) || (!general && tag != DER_UTC_TIME) ||
        (general && !two_digits(&at, 0, 99, &century)) || !two_digits(&at, 0, 99, &year) ||
        !two_digits(&at, 1, 12, &month) || !two_digits(&at, 1, 31, &day) ||
        !two_digits(&at, 0, 23, &hour) || !two_digits(&at, 0, 59, &minute) ||
        !two_digits(&at, 0, 59, &second) || *at != 'Z') {
        return false;
    }
    year += general ? century * 100 : year < 50 ? 2000 : 1900;
    if (year == 0 || day > days_of(year, month)) {
        return false;
    }
    int32_t in_day = (hour * 60 + minute) * 60 + second;
    *seconds = (int64_t)(days_before(year, month) + day - 1) * INT64_C(86400) + in_day;
    return true;
}

/* ---- the certificate ---- */

static bool parse_validity(struct backend_blob *cursor, struct certificate *certificate) {
    struct backend_blob validity;
    return der_take(cursor, DER_SEQUENCE, &validity) &&
           take_time(&validity, &certificate->not_before) &&
           take_time(&validity, &certificate->not_after) && validity.size == 0;
}

/* Returns whether the content is what parameters of algorithms are: nothing, a NULL, the OBJECT
   IDENTIFIER of a curve, or a SEQUENCE. */
static bool are_parameters(struct backend_blob content) {
    uint8_t tag = 0;
    struct backend_blob value;
    if (content.size == 0) {
        return true;
    }
    return der_next(&content, &tag, &value, NULL) && content.size == 0 &&
           (tag == DER_SEQUENCE || (tag == DER_NULL && value.size == 0) ||
            (tag == DER_OID && der_is_oid(&value)));
}

/* Takes the OID of an AlgorithmIdentifier's content, and its parameters, one element or none. */
static bool parse_algorithm(struct backend_blob content, struct backend_blob *type,
                            struct backend_blob *parameters) {
    if (!der_take_oid(&content, type)) {
        return false;
    }
    *parameters = content;
    return are_parameters(content);
}

static bool parse_key(struct backend_blob *cursor, struct certificate *certificate) {
    uint8_t tag = 0;
    struct backend_blob inside;
    struct backend_blob algorithm;
    return der_next(cursor, &tag, &inside, &certificate->key) && tag == DER_SEQUENCE &&
           der_take(&inside, DER_SEQUENCE, &algorithm) &&
           parse_algorithm(algorithm, &certificate->key_type, &certificate->key_parameters) &&
           der_take_bits(&inside, &certificate->key_bits) && inside.size == 0;
}

/* Takes the version, which version 1 omits. */
static bool parse_version(struct backend_blob *cursor, uint32_t *version) {
    struct backend_blob inside;
    struct backend_blob number;
    bool present = false;
    *version = 0;
    return der_take_optional(cursor, DER_CONTEXT_CONSTRUCTED(0), &inside, &present) &&
           (!present || (der_take_last(&inside, DER_INTEGER, &number) &&
                         der_small_integer(&number, 2, version)));
}

/* Skips a unique identifier of the issuer or the subject, if there is one: a BIT STRING by another
   tag, from version 2 on. */
static bool take_unique_id(struct backend_blob *cursor, uint8_t tag, uint32_t version) {
    struct backend_blob bits;
    bool present = false;
    return der_take_optional(cursor, tag, &bits, &present) &&
           (!present || (version > 0 && bits.size > 0 && bits.bytes[0] <= 7));
}

static bool parse_signed_part(struct backend_blob part, struct backend_blob *algorithm,
                              struct certificate *certificate) {
    uint32_t version = 0;
    struct backend_blob extensions;
    bool present = false;
    if (!parse_version(&part, &version) || !der_take(&part, DER_INTEGER, &certificate->serial) ||
        !der_is_integer(&certificate->serial) || !der_take(&part, DER_SEQUENCE, algorithm) ||
        !der_take(&part, DER_SEQUENCE, &certificate->issuer) ||
        !parse_validity(&part, certificate) ||
        !der_take(&part, DER_SEQUENCE, &certificate->subject) || !parse_key(&part, certificate) ||
        !take_unique_id(&part, DER_CONTEXT(1), version) ||
        !take_unique_id(&part, DER_CONTEXT(2), version) ||
        !der_take_optional(&part, DER_CONTEXT_CONSTRUCTED(3), &extensions, &present) ||
        part.size > 0) {
        return false;
    }
    certificate->is_version_1 = version == 0;
    if (!name_is_valid(&certificate->issuer) || !name_is_valid(&certificate->subject)) {
        return false;
    }
    return !present || (version == 2 && extensions_parse(extensions, certificate));
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
    if (!der_take_last(&cursor, DER_SEQUENCE, &inside) ||
        !der_next(&inside, &tag, &part, &certificate->signed_part) || tag != DER_SEQUENCE ||
        !parse_signed_part(part, &signed_algorithm, certificate) ||
        !der_take(&inside, DER_SEQUENCE, &algorithm) ||
        !der_take_bits(&inside, &certificate->signature) || inside.size > 0) {
        return false;
    }
    /* The signature algorithm appears twice, once in the signed part. */
    return der_equal(&algorithm, &signed_algorithm) &&
           parse_algorithm(algorithm, &certificate->signature_type,
                           &certificate->signature_parameters);
}

/* ---- issuers ---- */

/* Returns whether names include the issuer's issuer as a directory name, or no directory name. */
static bool names_fit(struct backend_blob names, const struct certificate *issuer) {
    uint8_t tag = 0;
    struct backend_blob value;
    while (der_next(&names, &tag, &value, NULL)) {
        struct backend_blob name;
        if (tag == NAME_DIRECTORY) {
            return der_take(&value, DER_SEQUENCE, &name) && name_equal(&name, &issuer->issuer);
        }
    }
    return true;
}

/* Returns whether the issuer is the one that the authority key identifier says, as far as it says
   something. */
static bool key_id_fits(const struct certificate *issuer, const struct certificate *certificate) {
    return (issuer->subject_key_id.size == 0 || certificate->issuer_key_id.size == 0 ||
            der_equal(&issuer->subject_key_id, &certificate->issuer_key_id)) &&
           (certificate->issuer_key_serial.size == 0 ||
            der_equal(&issuer->serial, &certificate->issuer_key_serial)) &&
           names_fit(certificate->issuer_key_names, issuer);
}

bool certificate_may_issue(const struct certificate *issuer,
                           const struct certificate *certificate) {
    return certificate->issuer.size > 0 && name_equal(&issuer->subject, &certificate->issuer) &&
           key_id_fits(issuer, certificate);
}
