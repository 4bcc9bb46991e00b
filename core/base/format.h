/*
 * Text from a format, for messages: the part of printf that messages use, in little code and little
 * stack, the same on every system and in every locale.
 *
 * Conversions: %s, %.*s, %c, %d, %u, %x, %X and %%, the numbers also with z or ll in front and with
 * a width ("%02x", "%5d"). Without a system a number is at most a size_t.
 */
#ifndef CORE_BASE_FORMAT_H
#define CORE_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes into `room` of `size` bytes (≥ 1), cut to what fits and always terminated. How many
   characters were written. */
size_t format_text(char *room, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

size_t format_arguments(char *room, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
