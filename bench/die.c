/* How a benchmark ends when something fails. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/way.h"

_Noreturn void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}
