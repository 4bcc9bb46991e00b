/* Encodes DER as PEM, the only form in which libtls takes certificates and keys. */
#include <limits.h>
#include <string.h>

#include "backends/libtls/libtls.h"

enum { LINE_BYTES = 48 }; /* 64 characters of base64 */

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char mark_end[] = "-----\n";

/* Returns the exact size that encode_one writes, or 0 if libtls cannot take it. */
static size_t encoded_size(const char *label, const struct backend_blob *blob) {
    size_t letters = strlen(label);
    if (blob->size > INT_MAX / 4) {
        return 0;
    }
    size_t lines = (blob->size + LINE_BYTES - 1) / LINE_BYTES;
    return sizeof begin_mark - 1 + sizeof end_mark - 1 + 2 * (letters + sizeof mark_end - 1) +
           (blob->size + 2) / 3 * 4 + lines;
}

static uint8_t *put(uint8_t *at, const char *text) {
    while (*text != '\0') {
        *at++ = (uint8_t)*text++;
    }
    return at;
}

static uint8_t *put_base64(uint8_t *at, const uint8_t *bytes, size_t size) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= i + 2 < size ? (uint32_t)bytes[i + 2] : 0;
        *at++ = (uint8_t)letters[bits >> 18];
        *at++ = (uint8_t)letters[bits >> 12 & 63];
        *at++ = (uint8_t)(i + 1 < size ? letters[bits >> 6 & 63] : '=');
        *at++ = (uint8_t)(i + 2 < size ? letters[bits & 63] : '=');
    }
    return at;
}

static uint8_t *encode_one(uint8_t *at, const char *label, const struct backend_blob *blob) {
    at = put(put(put(at, begin_mark), label), mark_end);
    for (size_t done = 0; done < blob->size; done += LINE_BYTES) {
        size_t left = blob->size - done;
        at = put_base64(at, blob->bytes + done, left < LINE_BYTES ? left : LINE_BYTES);
        *at++ = '\n';
    }
    return put(put(put(at, end_mark), label), mark_end);
}

bool pem_encode(const char *label, const struct backend_blob *blobs, size_t count,
                struct pem *pem) {
    *pem = (struct pem){NULL, 0};
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size_t one = encoded_size(label, &blobs[i]);
        if (one == 0 || one > INT_MAX - size) {
            return false;
        }
        size += one;
    }
    uint8_t *bytes = core_memory->allocate(size + 1);
    if (bytes == NULL) {
        return false;
    }
    uint8_t *at = bytes;
    for (size_t i = 0; i < count; i++) {
        at = encode_one(at, label, &blobs[i]);
    }
    *pem = (struct pem){bytes, size};
    return true;
}

void pem_free(struct pem *pem) {
    /* Volatile, so that the compiler does not drop it as a dead store. */
    volatile uint8_t *byte = pem->bytes;
    for (size_t i = 0; i < pem->size; i++) {
        byte[i] = 0;
    }
    core_memory->free(pem->bytes);
    *pem = (struct pem){NULL, 0};
}
