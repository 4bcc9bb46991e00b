/* The board: what the firmware asks of it beyond what portls and wolfSSL ask (docs/porting.md). */
#ifndef BARE_METAL_BOARD_H
#define BARE_METAL_BOARD_H

#include <stddef.h>

/* Bytes of the heap that are in use, and the most there were since the last board_heap_begin_peak.
 */
size_t board_heap_in_use(void);
size_t board_heap_peak(void);
void board_heap_begin_peak(void);

/* The most bytes of the stack that were ever in use. */
size_t board_stack_peak(void);

#endif
