/* ARM's CMSDK UART, polled. A real board fills and empties rings from its interrupt instead, since
   this one holds a single byte: see docs/porting.md. */
#include "uart.h"

#include <stdint.h>

struct registers {
    uint32_t data, state, control, interrupt, divisor;
};

enum { SENDING_FULL = 1, RECEIVED = 2, ENABLE_BOTH = 3, FASTEST = 16 };

static volatile struct registers *const uart = (volatile struct registers *)0x40004000;

void uart_begin(void) {
    uart->divisor = FASTEST;
    uart->control = ENABLE_BOTH;
}

portls_status uart_read(void *argument, void *buffer, size_t size, size_t *got) {
    uint8_t *bytes = buffer;
    (void)argument;
    for (*got = 0; *got < size && (uart->state & RECEIVED) != 0; (*got)++) {
        bytes[*got] = (uint8_t)uart->data;
    }
    return *got > 0 ? PORTLS_OK : PORTLS_WANT_READ;
}

portls_status uart_write(void *argument, const void *bytes, size_t size, size_t *put) {
    const uint8_t *from = bytes;
    (void)argument;
    for (*put = 0; *put < size && (uart->state & SENDING_FULL) == 0; (*put)++) {
        uart->data = from[*put];
    }
    return *put > 0 ? PORTLS_OK : PORTLS_WANT_WRITE;
}
