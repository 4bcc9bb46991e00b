/* Recognises formats by their first bytes. */
#include "core/x509/foreign_format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/x509/der.h"

#define ICONV(from) "iconv -f " from " -t UTF-8 FILE >NEWFILE"

enum { UTF16, UTF16LE, UTF16BE, PKCS12, PKCS7, PKCS7_IN_PEM };

static const struct foreign_format formats[] = {
    [UTF16] = {"text in UTF-16", ICONV("UTF-16"), ICONV("UTF-16")},
    [UTF16LE] = {"text in UTF-16", ICONV("UTF-16LE"), ICONV("UTF-16LE")},
    [UTF16BE] = {"text in UTF-16", ICONV("UTF-16BE"), ICONV("UTF-16BE")},
    [PKCS12] = {"PKCS#12", "openssl pkcs12 -in FILE -nokeys -out NEWFILE",
                "openssl pkcs12 -in FILE -nocerts -nodes -out NEWFILE"},
    [PKCS7] = {"PKCS#7 in DER", "openssl pkcs7 -inform DER -in FILE -print_certs -out NEWFILE",
               NULL},
    [PKCS7_IN_PEM] = {"PKCS#7", "openssl pkcs7 -in FILE -print_certs -out NEWFILE", NULL},
};

static bool begins_with(const struct backend_blob *text, const void *beginning, size_t size) {
    return text->size >= size && memcmp(text->bytes, beginning, size) == 0;
}

/* Skips the identifier and the length of a SEQUENCE, which may be indefinite, as in BER. */
static bool enter_sequence(struct backend_blob *cursor) {
    if (cursor->size < 2 || cursor->bytes[0] != DER_SEQUENCE) {
        return false;
    }
    size_t head = 2 + (cursor->bytes[1] > 0x80 ? cursor->bytes[1] & 0x7fU : 0U);
    if (head > cursor->size) {
        return false;
    }
    cursor->bytes += head;
    cursor->size -= head;
    return true;
}

/* PFX begins with its version, 3 (RFC 7292, 4). */
static bool is_pkcs12(struct backend_blob bytes) {
    static const uint8_t version[] = {DER_INTEGER, 1, 3, DER_SEQUENCE};
    return enter_sequence(&bytes) && begins_with(&bytes, version, sizeof version);
}

/* ContentInfo begins with the object identifier of its content: signedData (RFC 5652, 4). */
static bool is_pkcs7(struct backend_blob bytes) {
    static const uint8_t signed_data[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2};
    return enter_sequence(&bytes) && begins_with(&bytes, signed_data, sizeof signed_data);
}

static bool has_pkcs7_block(const struct backend_blob *text) {
    static const char line[] = "-----BEGIN PKCS7-----";
    for (size_t i = 0; i + sizeof line - 1 <= text->size; i++) {
        if (memcmp(text->bytes + i, line, sizeof line - 1) == 0) {
            return true;
        }
    }
    return false;
}

const struct foreign_format *foreign_format_of(const void *bytes, size_t size) {
    const struct backend_blob text = {bytes, size};
    if (begins_with(&text, "\xff\xfe", 2) || begins_with(&text, "\xfe\xff", 2)) {
        return &formats[UTF16];
    }
    if (size >= 2 && text.bytes[0] != 0 && text.bytes[1] == 0) {
        return &formats[UTF16LE];
    }
    if (size >= 2 && text.bytes[0] == 0 && text.bytes[1] != 0) {
        return &formats[UTF16BE];
    }
    return is_pkcs12(text)          ? &formats[PKCS12]
           : is_pkcs7(text)         ? &formats[PKCS7]
           : has_pkcs7_block(&text) ? &formats[PKCS7_IN_PEM]
                                    : NULL;
}
