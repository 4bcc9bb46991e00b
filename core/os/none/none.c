/* No operating system: a build without sockets, files and threads. */
#include "core/os/os.h"

#include <string.h>

void os_wipe(void *bytes, size_t size) {
    if (size > 0) {
        memset(bytes, 0, size);
        /* The compiler must believe that the zeros are looked at. */
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
