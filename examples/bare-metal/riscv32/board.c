/* Entropy and time on QEMU's board virt. docs/porting.md says what a real board does here. */
#include "board.h"

#include <fcntl.h>
#include <unistd.h>

/* The board's real-time clock, in nanoseconds since 1970; reading LOW latches HIGH. */
static volatile uint32_t *const clock_low = (volatile uint32_t *)0x00101000;
static volatile uint32_t *const clock_high = (volatile uint32_t *)0x00101004;

/* The processor's own timer, 10 MHz since power on. */
static volatile uint32_t *const timer_low = (volatile uint32_t *)0x0200bff8;
static volatile uint32_t *const timer_high = (volatile uint32_t *)0x0200bffc;

time_t board_time(time_t *seconds) {
    uint64_t low = *clock_low;
    time_t now = (time_t)(((uint64_t)*clock_high << 32 | low) / 1000000000);
    if (seconds != NULL) {
        *seconds = now;
    }
    return now;
}

/* The board has no generator: asks the machine that QEMU runs on. */
int board_random(unsigned char *bytes, unsigned size) {
    int device = open("/dev/urandom", O_RDONLY);
    if (device < 0) {
        return -1;
    }
    ssize_t got = read(device, bytes, size);
    close(device);
    return got == (ssize_t)size ? 0 : -1;
}

uint32_t LowResTimer(void) {
    uint32_t high, low;
    do {
        high = *timer_high;
        low = *timer_low;
    } while (high != *timer_high);
    return (uint32_t)(((uint64_t)high << 32 | low) / 10000000);
}
