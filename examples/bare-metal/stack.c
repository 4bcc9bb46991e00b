/* Measures the stack: fills it with a pattern before main, and looks how far that was overwritten.
   A program that used all of it exits with code 4, regardless of the value that main returned. */
#include <stdlib.h>
#include <unistd.h>

#include "board.h"

static const uint32_t pattern = 0xdeadbea7;

size_t board_stack_peak(void) {
    const uint32_t *word = board_stack_end;
    while (word < board_stack_begin && *word == pattern) {
        word++;
    }
    return (size_t)(board_stack_begin - word) * sizeof *word;
}

static void check_stack(void) {
    enum { MARGIN = 16 * sizeof pattern }; /* a frame need not write all of its words */
    size_t size = (size_t)(board_stack_begin - board_stack_end) * sizeof pattern;
    if (board_stack_peak() + MARGIN > size) {
        _exit(4);
    }
}

__attribute__((constructor)) static void fill_stack(void) {
    /* Up to this function's own frame, and what that may still push. */
    uintptr_t limit = (uintptr_t)__builtin_frame_address(0) - 64;
    for (volatile uint32_t *word = board_stack_end; (uintptr_t)word < limit; word++) {
        *word = pattern;
    }
    (void)atexit(check_stack);
}
