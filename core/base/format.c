/* Formatting in hosted builds: the C library's. */
#include "core/base/format.h"

#include <stdio.h>

size_t format_arguments(char *room, size_t size, const char *format, va_list arguments) {
    int written = vsnprintf(room, size, format, arguments);
    return written < 0 ? 0 : (size_t)written < size ? (size_t)written : size - 1;
}
