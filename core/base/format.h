/*
 * Formats messages: the subset of printf that messages use, with little code and stack, independent
 * of system and locale. Conversions: %s, %.*s, %c, %d, %u, %x, %X and %%, the numbers also with z
 * or ll and a width ("%02x", "%5d"). In bare builds a number is at most a size_t.
 */
#ifndef CORE_BASE_FORMAT_H
#define CORE_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Formats into `room` of `size` bytes (≥ 1). Truncates to what fits and always terminates. Returns
   the number of characters written. */
size_t format_text(char *room, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

size_t format_arguments(char *room, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
