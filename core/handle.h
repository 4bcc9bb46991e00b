/*
 * What every handle of the library begins with: its kind, so that a handle of the wrong kind is
 * told from a right one, and a freed one (as long as its memory is not used again) from a live one.
 */
#ifndef CORE_HANDLE_H
#define CORE_HANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum handle_kind {
    HANDLE_FREED = 0,
    HANDLE_CLIENT_CONTEXT = 0x504c4301,
    HANDLE_SERVER_CONTEXT = 0x504c4302,
    HANDLE_LISTENER = 0x504c4303,
    HANDLE_INPUT_PORT = 0x504c4304,
    HANDLE_OUTPUT_PORT = 0x504c4305,
    HANDLE_BREAK = 0x504c4306,
    HANDLE_SYNC_SET = 0x504c4307,
};

/* The first member of every public object. */
struct handle {
    uint32_t kind; /* enum handle_kind */
};

static inline bool handle_is(const void *object, enum handle_kind kind) {
    return object != NULL && ((const struct handle *)object)->kind == (uint32_t)kind;
}

#endif
