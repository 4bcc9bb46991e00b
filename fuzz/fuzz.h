/* What the fuzz programs share. Each implements LLVMFuzzerTestOneInput, which libFuzzer calls. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/x509/certificate.h"

/* Aborts if a property does not hold, which libFuzzer reports with the input. */
#define FUZZ_CHECK(property)                                                                       \
    do {                                                                                           \
        if (!(property)) {                                                                         \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Takes the next byte of an input; 0 at its end. */
static inline uint8_t fuzz_byte(struct backend_blob *input) {
    if (input->size == 0) {
        return 0;
    }
    input->size--;
    return *input->bytes++;
}

/* Takes up to `size` bytes of an input. */
static inline struct backend_blob fuzz_bytes(struct backend_blob *input, size_t size) {
    struct backend_blob taken = {input->bytes, size < input->size ? size : input->size};
    if (taken.size > 0) {
        input->bytes += taken.size;
        input->size -= taken.size;
    }
    return taken;
}

/* Returns whether `part` lies inside `whole`, or is absent. */
static inline bool fuzz_is_inside(const struct backend_blob *part,
                                  const struct backend_blob *whole) {
    return part->bytes == NULL || (part->bytes >= whole->bytes && part->size <= whole->size &&
                                   part->bytes + part->size <= whole->bytes + whole->size);
}

/* Copies an element's content into a terminated string of HOSTNAME_MAX + 1 bytes; returns false for
   what no C string can hold. */
static inline bool fuzz_text(const struct backend_blob *content, char *text, size_t size) {
    if (content->size >= size || (content->size > 0 && memchr(content->bytes, 0, content->size))) {
        return false;
    }
    if (content->size > 0) {
        memcpy(text, content->bytes, content->size);
    }
    text[content->size] = '\0';
    return true;
}

#endif
