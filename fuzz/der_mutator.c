/*
 * libFuzzer's mutations for inputs that are a sequence of DER elements: changes one element and
 * corrects the lengths of all that contain it. Without this nearly every mutation breaks a length
 * near the root, and the parser stops there. One mutation in eight still ignores the structure.
 */
#include <string.h>

#include "core/x509/der.h"
#include "fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed);

enum { ELEMENTS_MAX = 1024, CONTENT_MAX = 4096, HEADER_MAX = 4 };

struct element {
    size_t at, header, content; /* offset, and the sizes of both parts */
    int parent;                 /* index, or -1 */
};

struct tree {
    struct element elements[ELEMENTS_MAX];
    int count;
};

/* xorshift64*; the same for the same seed. */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717U;
}

static size_t below(uint64_t *state, size_t limit) {
    return (size_t)(next_random(state) >> 33) % limit;
}

static void add_elements(struct tree *tree, const uint8_t *start, struct backend_blob list,
                         int parent, bool all) {
    int first = tree->count;
    struct backend_blob content;
    struct backend_blob whole;
    while (tree->count < ELEMENTS_MAX && der_next(&list, NULL, &content, &whole)) {
        tree->elements[tree->count++] = (struct element){
            (size_t)(whole.bytes - start), whole.size - content.size, content.size, parent};
    }
    if (all && list.size > 0) { /* an OCTET STRING of other bytes */
        tree->count = first;
    }
}

/* Lists the elements breadth first, also those inside an OCTET STRING. */
static void list_elements(struct tree *tree, const uint8_t *bytes, size_t size) {
    tree->count = 0;
    add_elements(tree, bytes, (struct backend_blob){bytes, size}, -1, false);
    for (int i = 0; i < tree->count; i++) {
        const struct element *element = &tree->elements[i];
        uint8_t tag = bytes[element->at];
        struct backend_blob content = {bytes + element->at + element->header, element->content};
        if ((tag & 0x20) != 0 || tag == DER_OCTET_STRING) {
            add_elements(tree, bytes, content, i, tag == DER_OCTET_STRING);
        }
    }
}

/* An input that is being changed. */
struct buffer {
    uint8_t *bytes;
    size_t size, size_max;
};

static bool splice(struct buffer *buffer, size_t at, size_t old, const uint8_t *put, size_t size) {
    if (buffer->size - old + size > buffer->size_max) {
        return false;
    }
    memmove(buffer->bytes + at + size, buffer->bytes + at + old, buffer->size - at - old);
    if (size > 0) {
        memcpy(buffer->bytes + at, put, size);
    }
    buffer->size = buffer->size - old + size;
    return true;
}

static size_t write_length(uint8_t *header, size_t length) {
    if (length < 0x80) {
        header[0] = (uint8_t)length;
        return 1;
    }
    size_t bytes = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
    header[0] = (uint8_t)(0x80 | bytes);
    for (size_t i = 0; i < bytes; i++) {
        header[1 + i] = (uint8_t)(length >> 8 * (bytes - 1 - i));
    }
    return 1 + bytes;
}

/* Replaces `old` bytes at `at`, inside the content of `parent`, and corrects the lengths above. */
static bool replace(struct buffer *buffer, const struct tree *tree, int parent, size_t at,
                    size_t old, const uint8_t *put, size_t size) {
    if (!splice(buffer, at, old, put, size)) {
        return false;
    }
    size_t grown = size - old; /* may wrap around, as the sums below do */
    for (; parent >= 0; parent = tree->elements[parent].parent) {
        const struct element *above = &tree->elements[parent];
        uint8_t length[HEADER_MAX];
        size_t written = write_length(length, above->content + grown);
        if (!splice(buffer, above->at + 1, above->header - 1, length, written)) {
            return false;
        }
        grown += written - (above->header - 1);
    }
    return true;
}

/* Replaces the content of an element by a mutation of it. */
static bool mutate_content(struct buffer *buffer, const struct tree *tree, int index) {
    static uint8_t changed[CONTENT_MAX + HEADER_MAX + 1];
    const struct element *element = &tree->elements[index];
    if (element->content > CONTENT_MAX) {
        return false;
    }
    uint8_t content[CONTENT_MAX];
    memcpy(content, buffer->bytes + element->at + element->header, element->content);
    size_t size = LLVMFuzzerMutate(content, element->content, CONTENT_MAX);
    changed[0] = buffer->bytes[element->at];
    size_t header = 1 + write_length(changed + 1, size);
    memcpy(changed + header, content, size);
    return replace(buffer, tree, element->parent, element->at, element->header + element->content,
                   changed, header + size);
}

/* Puts a copy of an element in front of another one, or in its place. */
static bool copy_element(struct buffer *buffer, const struct tree *tree, int from, int to,
                         bool in_place) {
    static uint8_t copy[CONTENT_MAX];
    const struct element *source = &tree->elements[from];
    const struct element *target = &tree->elements[to];
    size_t size = source->header + source->content;
    if (size > sizeof copy) {
        return false;
    }
    memcpy(copy, buffer->bytes + source->at, size);
    return replace(buffer, tree, target->parent, target->at,
                   in_place ? target->header + target->content : 0, copy, size);
}

static bool change_one(struct buffer *buffer, const struct tree *tree, uint64_t *state) {
    size_t count = (size_t)tree->count;
    int index = (int)below(state, count);
    const struct element *element = &tree->elements[index];
    switch (below(state, 10)) {
    case 0:
        return replace(buffer, tree, element->parent, element->at,
                       element->header + element->content, NULL, 0);
    case 1:
        return copy_element(buffer, tree, index, index, false);
    case 2:
        return copy_element(buffer, tree, (int)below(state, count), index, false);
    case 3:
        return copy_element(buffer, tree, (int)below(state, count), index, true);
    case 4:
        buffer->bytes[element->at] ^= (uint8_t)(1U << below(state, 8));
        return true;
    default:
        return mutate_content(buffer, tree, index);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed) {
    static struct tree tree;
    uint64_t state = seed * 2654435769U + 1;
    struct buffer buffer = {bytes, size, size_max};
    size_t changes = 1 + below(&state, 3);
    for (size_t i = 0; i < changes; i++) {
        list_elements(&tree, bytes, buffer.size);
        if (tree.count == 0 || below(&state, 8) == 0) {
            return LLVMFuzzerMutate(bytes, buffer.size, size_max);
        }
        if (!change_one(&buffer, &tree, &state)) {
            return LLVMFuzzerMutate(bytes, size, size_max);
        }
    }
    return buffer.size;
}
