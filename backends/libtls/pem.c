/* Encodes DER as PEM, the only form in which libtls takes certificates and keys, and decodes the
   certificates that it gives. */
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

/* Returns all ones when value ≥ least, else 0; both are below 2^31. */
static uint32_t at_least(uint32_t value, uint32_t least) {
    return ((value - least) >> 31) - 1;
}

/* Returns the base64 letter of the low six bits. Has no table and no branches, so that the bytes of
   a key show neither in the cache nor in the time (as core/x509/pem.c, which decodes). */
static uint8_t base64_letter(uint32_t bits) {
    uint32_t value = bits & 63;
    uint32_t letter = 'A' + value;
    letter += at_least(value, 26) & ('a' - 'Z' - 1);
    letter -= at_least(value, 52) & ('z' + 1 - '0');
    letter -= at_least(value, 62) & ('9' + 1 - '+');
    letter += at_least(value, 63) & ('/' - '+' - 1);
    return (uint8_t)letter;
}

static uint8_t *put_base64(uint8_t *at, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= i + 2 < size ? (uint32_t)bytes[i + 2] : 0;
        *at++ = base64_letter(bits >> 18);
        *at++ = base64_letter(bits >> 12);
        *at++ = i + 1 < size ? base64_letter(bits >> 6) : '=';
        *at++ = i + 2 < size ? base64_letter(bits) : '=';
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

/* ---- decoding ---- */

/* Returns the value of a base64 letter, or -1. Certificates are no secrets: a table would do too.
 */
static int base64_value(uint8_t letter) {
    return letter >= 'A' && letter <= 'Z'   ? letter - 'A'
           : letter >= 'a' && letter <= 'z' ? letter - 'a' + 26
           : letter >= '0' && letter <= '9' ? letter - '0' + 52
           : letter == '+'                  ? 62
           : letter == '/'                  ? 63
                                            : -1;
}

/* Returns the position behind the next mark, or `size` if there is none. */
static size_t find_mark(const uint8_t *text, size_t size, size_t at, const char *mark) {
    size_t length = strlen(mark);
    for (; at + length <= size; at++) {
        if (memcmp(text + at, mark, length) == 0) {
            return at + length;
        }
    }
    return size;
}

size_t pem_decode_next(const uint8_t *text, size_t size, size_t *at, uint8_t *room) {
    size_t next = find_mark(text, size, *at, "-----BEGIN CERTIFICATE-----");
    size_t made = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    while (next < size && text[next] != '-') {
        int value = base64_value(text[next++]);
        if (value >= 0) {
            bits = (bits << 6 | (uint32_t)value) & 0xffffff;
            count += 6;
        }
        if (count >= 8) {
            count -= 8;
            room[made++] = (uint8_t)(bits >> count);
        }
    }
    *at = next;
    return made;
}
