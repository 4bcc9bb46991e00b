/* Entropy and time on QEMU's MPS2 board. docs/porting.md says what a real board does here. */
#include "board.h"

#include <stdio.h>

/* The board has no clock: stands still at the beginning of 2026. */
time_t board_time(time_t *seconds) {
    const time_t now = 1767225600;
    if (seconds != NULL) {
        *seconds = now;
    }
    return now;
}

/* The board has no generator: asks the machine that QEMU runs on. */
int board_random(unsigned char *bytes, unsigned size) {
    FILE *device = fopen("/dev/urandom", "rb");
    if (device == NULL) {
        return -1;
    }
    setvbuf(device, NULL, _IONBF, 0);
    size_t got = fread(bytes, 1, size, device);
    fclose(device);
    return got == size ? 0 : -1;
}

/* The C library's processor time stands in for a timer. */
uint32_t LowResTimer(void) {
    return (uint32_t)(clock() / CLOCKS_PER_SEC);
}
