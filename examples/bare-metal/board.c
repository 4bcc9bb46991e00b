/*
 * What portls and wolfSSL ask of a board, answered for QEMU's MPS2: see docs/porting.md, which says
 * what a real board does in each place.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

time_t board_time(time_t *seconds);
int board_random(unsigned char *bytes, unsigned size);
uint32_t LowResTimer(void);

/* A real board asks its clock, which it has set from a trusted source. This one stands still, at
   the beginning of 2026: the test certificates are good from 2020 to 2099, or ended with 2020. */
time_t board_time(time_t *seconds) {
    const time_t now = 1767225600;
    if (seconds != NULL) {
        *seconds = now;
    }
    return now;
}

/* A real board reads its generator. This one has none, and asks the machine that QEMU runs on. */
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

/* Seconds since power on. The processor time of the C library stands in for a timer. */
uint32_t LowResTimer(void) {
    return (uint32_t)(clock() / CLOCKS_PER_SEC);
}
