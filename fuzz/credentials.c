/*
 * Fuzzes certificates and private keys as a program loads them. The first byte of the input chooses
 * what is read, the rest is the text or DER. What is read can be written and read again; on failure
 * there is nothing, and a message.
 */
#include "core/x509/credentials.h"

#include "core/base/memory.h"
#include "core/x509/pem.h"
#include "fuzz/fuzz.h"

static void check_failure(portls_status status, portls_status malformed,
                          const portls_error *error) {
    FUZZ_CHECK(status == malformed || status == PORTLS_KEY_ENCRYPTED);
    FUZZ_CHECK(error->status == status);
    FUZZ_CHECK(memchr(error->message, 0, sizeof error->message) != NULL);
    FUZZ_CHECK(strncmp(error->message, "input", 5) == 0);
}

/* A PEM text that is being written. */
struct text {
    char *at;
    size_t size, room;
};

static void put(struct text *text, const char *more, size_t size) {
    if (text->size + size > text->room) {
        text->room = (text->room + size) * 2;
        text->at = realloc(text->at, text->room);
        FUZZ_CHECK(text->at != NULL);
    }
    memcpy(text->at + text->size, more, size);
    text->size += size;
}

static void put_base64(struct text *text, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < size ? bytes[i + 2] : 0;
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        i + 1 < size ? digits[group >> 6 & 63] : '=',
                        i + 2 < size ? digits[group & 63] : '='};
        put(text, four, sizeof four);
        if (i % 48 == 45) {
            put(text, "\n", 1);
        }
    }
}

static void put_block(struct text *text, const char *label, const uint8_t *bytes, size_t size) {
    char line[64];
    put(text, line, (size_t)snprintf(line, sizeof line, "-----BEGIN %s-----\n", label));
    put_base64(text, bytes, size);
    put(text, line, (size_t)snprintf(line, sizeof line, "\n-----END %s-----\n", label));
}

static void check_same_list(const struct certificate_list *one,
                            const struct certificate_list *other) {
    FUZZ_CHECK(one->count == other->count);
    for (size_t i = 0; i < one->count; i++) {
        FUZZ_CHECK(one->blobs[i].size == other->blobs[i].size);
        FUZZ_CHECK(memcmp(one->blobs[i].bytes, other->blobs[i].bytes, one->blobs[i].size) == 0);
    }
}

/* Writes the certificates as PEM, and reads them back. */
static void check_list(const struct certificate_list *list) {
    struct text text = {NULL, 0, 0};
    struct certificate_list again = {NULL, 0};
    struct backend_blob content;
    for (size_t i = 0; i < list->count; i++) {
        FUZZ_CHECK(der_whole(list->blobs[i].bytes, list->blobs[i].size, DER_SEQUENCE, &content));
        put_block(&text, "CERTIFICATE", list->blobs[i].bytes, list->blobs[i].size);
    }
    FUZZ_CHECK(pem_certificates(text.at, text.size, "again", &again, NULL) == PORTLS_OK);
    check_same_list(list, &again);
    certificate_list_clear(&again);
    free(text.at);
}

static void fuzz_certificates(const struct backend_blob *input) {
    struct certificate_list all = {NULL, 0};
    struct certificate_list usable = {NULL, 0};
    size_t skipped = 0;
    portls_error error = {.status = PORTLS_OK};
    portls_status status = pem_certificates(input->bytes, input->size, "input", &all, &error);
    if (status == PORTLS_OK) {
        check_list(&all);
    } else {
        check_failure(status, PORTLS_BAD_CERTIFICATE, &error);
        FUZZ_CHECK(all.count == 0);
    }
    error = (portls_error){.status = PORTLS_OK};
    portls_status lenient =
        pem_usable_certificates(input->bytes, input->size, "input", &usable, &skipped, &error);
    if (lenient == PORTLS_OK) {
        check_list(&usable);
    } else {
        check_failure(lenient, PORTLS_BAD_CERTIFICATE, &error);
        FUZZ_CHECK(usable.count == 0);
    }
    FUZZ_CHECK(status != PORTLS_OK || usable.count + skipped == all.count);
    certificate_list_clear(&all);
    certificate_list_clear(&usable);
}

/* Writes the key as PEM, and reads it as PEM and as DER. */
static void check_key(const struct private_key *key, portls_key_kind kind) {
    static const char *const labels[] = {NULL, "RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"};
    struct text text = {NULL, 0, 0};
    struct private_key again;
    FUZZ_CHECK(key->format != BACKEND_KEY_NONE && key->size > 0);
    put_block(&text, labels[key->format], key->bytes, key->size);
    const struct backend_blob forms[] = {{(const uint8_t *)text.at, text.size},
                                         {key->bytes, key->size}};
    for (int form = 0; form < 2; form++) {
        FUZZ_CHECK(pem_private_key(forms[form].bytes, forms[form].size, "again", kind,
                                   form == 0 ? PORTLS_PEM : PORTLS_ASN1, &again,
                                   NULL) == PORTLS_OK);
        FUZZ_CHECK(again.format == key->format && again.size == key->size);
        FUZZ_CHECK(memcmp(again.bytes, key->bytes, key->size) == 0);
        private_key_clear(&again);
    }
    free(text.at);
}

static void fuzz_key(const struct backend_blob *input, portls_key_kind kind,
                     portls_encoding encoding) {
    struct private_key key;
    portls_error error = {.status = PORTLS_OK};
    portls_status status =
        pem_private_key(input->bytes, input->size, "input", kind, encoding, &key, &error);
    if (status == PORTLS_OK) {
        check_key(&key, kind);
    } else {
        check_failure(status, PORTLS_BAD_KEY, &error);
        FUZZ_CHECK(key.bytes == NULL && key.size == 0);
    }
    private_key_clear(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct backend_blob input = {bytes, size};
    uint8_t choice = fuzz_byte(&input);
    if ((choice & 1) == 0) {
        fuzz_certificates(&input);
    } else {
        fuzz_key(&input, (choice & 2) != 0 ? PORTLS_KEY_RSA : PORTLS_KEY_ANY,
                 (choice & 4) != 0 ? PORTLS_ASN1 : PORTLS_PEM);
    }
    return 0;
}
