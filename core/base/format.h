/*
 * Formatting of messages: the C library's in hosted builds (format.c), a small formatter in bare
 * ones (format_bare.c). Both have these conversions, and the walls test allows no others: %s, %.*s,
 * %c, %d, %u, %x, %X and %%, the numbers also with z or ll in front and with a width ("%02x",
 * "%5d"). In bare builds a number is at most a size_t.
 */
#ifndef CORE_BASE_FORMAT_H
#define CORE_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

#include "backends/backend.h"

/* Formats into `room` of `size` bytes (≥ 1), truncated to fit and always terminated. Returns the
   number of characters written. */
size_t format_arguments(char *room, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* The core's name for backend_text, which takes the arguments of a format. */
#define format_text backend_text

#endif
