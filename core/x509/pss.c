/* The parameters of RSASSA-PSS. */
#include "core/x509/pss.h"

/* Takes the AlgorithmIdentifier of a hash of SHA-2 or SHA-3. */
static bool take_hash(struct backend_blob *cursor, uint8_t *hash) {
    static const uint8_t arc[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};
    struct backend_blob algorithm;
    struct backend_blob oid;
    if (!der_take(cursor, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid) ||
        oid.size != sizeof arc + 1 || memcmp(oid.bytes, arc, sizeof arc) != 0) {
        return false;
    }
    *hash = oid.bytes[sizeof arc];
    return true;
}

/* Takes an explicitly tagged INTEGER up to `max`, if it is there. */
static bool take_number(struct backend_blob *cursor, uint8_t tag, uint32_t max, uint32_t *number) {
    struct backend_blob part;
    struct backend_blob value;
    bool present = false;
    return der_take_optional(cursor, tag, &part, &present) &&
           (!present ||
            (der_take_last(&part, DER_INTEGER, &value) && der_small_integer(&value, max, number)));
}

bool pss_parse(struct backend_blob parameters, struct pss *pss) {
    struct backend_blob inside;
    struct backend_blob part;
    struct backend_blob mask;
    struct backend_blob oid;
    uint32_t trailer = 1;
    pss->salt_size = 20;
    return der_take_last(&parameters, DER_SEQUENCE, &inside) &&
           der_take(&inside, DER_CONTEXT_CONSTRUCTED(0), &part) && take_hash(&part, &pss->hash) &&
           der_take(&inside, DER_CONTEXT_CONSTRUCTED(1), &part) &&
           der_take(&part, DER_SEQUENCE, &mask) && der_take(&mask, DER_OID, &oid) &&
           DER_IS_OID(&oid, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08") && /* MGF1 */
           take_hash(&mask, &pss->mask_hash) &&
           take_number(&inside, DER_CONTEXT_CONSTRUCTED(2), 1024, &pss->salt_size) &&
           take_number(&inside, DER_CONTEXT_CONSTRUCTED(3), 1, &trailer) && trailer == 1 &&
           inside.size == 0;
}

bool pss_signature(const struct certificate *certificate, const struct certificate *issuer,
                   struct pss *pss) {
    struct pss key;
    if (!pss_parse(certificate->signature_parameters, pss)) {
        return false;
    }
    bool for_pss = DER_IS_OID(&issuer->key_type, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a");
    if (!for_pss || issuer->key_parameters.size == 0) {
        return true;
    }
    return pss_parse(issuer->key_parameters, &key) && key.hash == pss->hash &&
           key.mask_hash == pss->mask_hash && pss->salt_size >= key.salt_size;
}
