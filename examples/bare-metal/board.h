/*
 * What a board provides: entropy and time, which wolfSSL calls
 * (cmake/wolfssl/bare/user_settings.h), and the bounds of its stack, which its linker script
 * defines. What heap.c and stack.c measure with them is for the examples and the tests; a product
 * needs neither.
 */
#ifndef BARE_METAL_BOARD_H
#define BARE_METAL_BOARD_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Fills `bytes` from a true random number generator and returns 0; anything else is a failure,
   after which wolfSSL makes no session. */
int board_random(unsigned char *bytes, unsigned size);

/* Returns the seconds since 1970, in `seconds` too unless it is NULL. */
time_t board_time(time_t *seconds);

/* Returns the seconds since power on. */
uint32_t LowResTimer(void);

/* The stack: from the word below `begin` down to `end`. */
extern uint32_t board_stack_begin[], board_stack_end[];

/* ---- heap.c, stack.c ---- */

/* Bytes of the heap in use, and the most since the last board_heap_begin_peak. */
size_t board_heap_in_use(void);
size_t board_heap_peak(void);
void board_heap_begin_peak(void);

/* The most bytes of the stack in use since power on. */
size_t board_stack_peak(void);

#endif
