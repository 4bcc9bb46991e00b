/*
 * In place of PEM, in a build without it (PORTLS_WITH_PEM): certificates in DER one behind the
 * other, and a key in DER. Only as much is looked at as tells the pieces apart; the TLS library
 * looks at the rest.
 */
#include <string.h>

#include "core/x509/der.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/x509/pem.h"

/* A copy of a piece, or NULL. */
static uint8_t *copy_of(const uint8_t *bytes, size_t size) {
    uint8_t *copy = memory_allocate(size);
    if (copy != NULL) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

portls_status pem_certificates(const void *bytes, size_t size, const char *name,
                               struct certificate_list *list, portls_error *error) {
    struct backend_blob reader = {bytes, size};
    portls_status status = PORTLS_OK;
    *list = (struct certificate_list){NULL, 0};
    do {
        const uint8_t *begin = reader.bytes;
        struct backend_blob content;
        if (!der_take(&reader, DER_SEQUENCE, &content)) {
            status = error_fail(error, PORTLS_BAD_CERTIFICATE,
                                "%s: certificate %zu is no DER, which is all that this build takes",
                                name, list->count + 1);
            break;
        }
        size_t whole = (size_t)(reader.bytes - begin);
        uint8_t *copy = certificate_list_reserve(list, 1) ? copy_of(begin, whole) : NULL;
        if (copy == NULL) {
            status =
                error_fail(error, PORTLS_NO_MEMORY, "%s: no memory for its certificates", name);
            break;
        }
        list->blobs[list->count++] = (struct backend_blob){copy, whole};
    } while (reader.size > 0);
    if (status != PORTLS_OK) {
        certificate_list_clear(list);
    }
    return status;
}

/* By what follows the version: PKCS#1 the modulus, SEC1 the secret, PKCS#8 the algorithm. An
   encrypted key begins otherwise. */
static enum backend_key_format format_of(const void *bytes, size_t size,
                                         struct backend_blob *inside) {
    uint8_t version = 0;
    if (!der_whole(bytes, size, DER_SEQUENCE, inside) || !der_take_small(inside, &version) ||
        inside->size == 0) {
        return BACKEND_KEY_NONE;
    }
    switch (inside->bytes[0]) {
    case DER_INTEGER:
        return BACKEND_KEY_PKCS1;
    case DER_OCTET_STRING:
        return BACKEND_KEY_SEC1;
    case DER_SEQUENCE:
        return BACKEND_KEY_PKCS8;
    default:
        return BACKEND_KEY_NONE;
    }
}

/* Of a PKCS#8 key: whether its algorithm is rsaEncryption or RSASSA-PSS. */
static bool is_rsa(struct backend_blob inside) {
    static const uint8_t begin[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};
    struct backend_blob algorithm;
    struct backend_blob object;
    return der_take(&inside, DER_SEQUENCE, &algorithm) &&
           der_take(&algorithm, DER_OBJECT, &object) && object.size == sizeof begin + 1 &&
           memcmp(object.bytes, begin, sizeof begin) == 0;
}

portls_status pem_private_key(const void *bytes, size_t size, const char *name,
                              portls_key_kind kind, portls_encoding encoding,
                              struct private_key *key, portls_error *error) {
    struct backend_blob inside;
    *key = (struct private_key){NULL, 0, BACKEND_KEY_NONE};
    if (encoding != PORTLS_ASN1) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "%s: this build takes keys in DER alone (PORTLS_ASN1)", name);
    }
    enum backend_key_format format = format_of(bytes, size, &inside);
    if (format == BACKEND_KEY_NONE) {
        return error_fail(error, PORTLS_BAD_KEY, "%s: no private key in DER, or an encrypted one",
                          name);
    }
    if (kind == PORTLS_KEY_RSA && format != BACKEND_KEY_PKCS1 &&
        (format != BACKEND_KEY_PKCS8 || !is_rsa(inside))) {
        return error_fail(error, PORTLS_BAD_KEY, "%s: no RSA key", name);
    }
    uint8_t *copy = copy_of(bytes, size);
    if (copy == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "%s: no memory for the private key", name);
    }
    *key = (struct private_key){copy, size, format};
    return PORTLS_OK;
}
