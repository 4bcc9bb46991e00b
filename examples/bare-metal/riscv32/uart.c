/* A 16550 UART, polled. */
#include "uart.h"

#include <stdint.h>

/* One byte each; while a bit of the line control is set, the first two are the divisor. */
struct registers {
    uint8_t data, interrupts, fifo, line_control, modem_control, line_status;
};

enum { EIGHT_BITS = 3, ENABLE_FIFO = 1, RECEIVED = 1, CAN_SEND = 0x20 };

static volatile struct registers *const uart = (volatile struct registers *)0x10000000;

void uart_begin(void) {
    uart->line_control = EIGHT_BITS;
    uart->fifo = ENABLE_FIFO;
}

portls_status uart_read(void *argument, void *buffer, size_t size, size_t *got) {
    uint8_t *bytes = buffer;
    (void)argument;
    for (*got = 0; *got < size && (uart->line_status & RECEIVED) != 0; (*got)++) {
        bytes[*got] = uart->data;
    }
    return *got > 0 ? PORTLS_OK : PORTLS_WANT_READ;
}

portls_status uart_write(void *argument, const void *bytes, size_t size, size_t *put) {
    const uint8_t *from = bytes;
    (void)argument;
    for (*put = 0; *put < size && (uart->line_status & CAN_SEND) != 0; (*put)++) {
        uart->data = from[*put];
    }
    return *put > 0 ? PORTLS_OK : PORTLS_WANT_WRITE;
}
