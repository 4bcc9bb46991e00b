/* The first UART of the board, as the two callbacks of a port each: bytes that have come, and room
   for more. Nothing here waits. */
#ifndef BARE_METAL_UART_H
#define BARE_METAL_UART_H

#include <portls/portls.h>

void uart_begin(void);

portls_status uart_read(void *argument, void *buffer, size_t size, size_t *got);
portls_status uart_write(void *argument, const void *bytes, size_t size, size_t *put);

#endif
