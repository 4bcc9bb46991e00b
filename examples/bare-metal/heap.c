/* Counts the heap: the linker sends every malloc and free of the program here (--wrap). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

void *__real_malloc(size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

/* In front of each piece; as large as the strictest alignment. */
union head {
    size_t size;
    max_align_t alignment;
};

static size_t in_use, peak;

size_t board_heap_in_use(void) {
    return in_use;
}

size_t board_heap_peak(void) {
    return peak;
}

void board_heap_begin_peak(void) {
    peak = in_use;
}

void *__wrap_malloc(size_t size) {
    union head *head = size > SIZE_MAX - sizeof *head ? NULL : __real_malloc(sizeof *head + size);
    if (head == NULL) {
        return NULL;
    }
    head->size = size;
    in_use += size;
    if (in_use > peak) {
        peak = in_use;
    }
    return head + 1;
}

void __wrap_free(void *memory) {
    if (memory != NULL) {
        union head *head = (union head *)memory - 1;
        in_use -= head->size;
        __real_free(head);
    }
}

void *__wrap_calloc(size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *memory = __wrap_malloc(count * size);
    if (memory != NULL) {
        memset(memory, 0, count * size);
    }
    return memory;
}

void *__wrap_realloc(void *memory, size_t size) {
    void *moved = __wrap_malloc(size);
    if (moved != NULL && memory != NULL) {
        size_t old = ((union head *)memory - 1)->size;
        memcpy(moved, memory, old < size ? old : size);
        __wrap_free(memory);
    }
    return moved;
}
