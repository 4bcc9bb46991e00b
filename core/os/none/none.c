/* No operating system: a build without sockets, files and threads. */
#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/file.h"

#include <string.h>

void os_wipe(void *bytes, size_t size) {
    if (size > 0) {
        memset(bytes, 0, size);
        /* Makes the compiler assume that the zeros are read. */
        __asm__ __volatile__("" : : "r"(bytes) : "memory");
    }
}

const char *os_error_text(int os_errno) {
    (void)os_errno;
    return "the system refused";
}

/* The program's clock stands in for it: portls_set_clock. */
int64_t os_now(void) {
    return 0;
}

/* There are no descriptors to poll. */
int os_poll(struct os_poll_item *items, size_t count, int64_t deadline, size_t *ready) {
    (void)items;
    (void)count;
    (void)deadline;
    *ready = 0;
    return -1;
}

/* Nothing unloads a firmware. */
void os_keep_loaded(void) {
}

bool os_stream_possible(void) {
    return false;
}
