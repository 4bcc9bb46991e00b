/* The start of every handle: its kind, which tells a handle of the wrong kind from a right one, and
   a freed one (until its memory is reused) from a live one. */
#ifndef CORE_BASE_HANDLE_H
#define CORE_BASE_HANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values that are unlikely in memory by accident, and that ARM loads in one instruction. */
enum handle_kind {
    HANDLE_FREED = 0,
    HANDLE_CLIENT_CONTEXT = 0x15151515,
    HANDLE_SERVER_CONTEXT = 0x16161616,
    HANDLE_LISTENER = 0x17171717,
    HANDLE_INPUT_PORT = 0x18181818,
    HANDLE_OUTPUT_PORT = 0x19191919,
    HANDLE_BREAK = 0x1a1a1a1a,
    HANDLE_SYNC_SET = 0x1b1b1b1b,
};

/* The first member of every public object. */
struct handle {
    uint32_t kind; /* enum handle_kind */
};

static inline bool handle_is(const void *object, enum handle_kind kind) {
    return object != NULL && ((const struct handle *)object)->kind == (uint32_t)kind;
}

#endif
