/* Formatting in bare builds: what messages use of printf, in little code and little stack. */
#include "core/base/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* No larger number is formatted: 64 bits are a lot of code on a small processor. */
typedef size_t number;

struct text {
    char *room;
    size_t size, at; /* at < size: there is always room for the terminating zero */
};

static void put(struct text *text, const char *bytes, size_t size) {
    size_t left = text->size - 1 - text->at;
    size_t part = size < left ? size : left;
    memcpy(text->room + text->at, bytes, part);
    text->at += part;
}

static void put_repeated(struct text *text, char byte, size_t count) {
    while (count-- > 0 && text->at + 1 < text->size) {
        text->room[text->at++] = byte;
    }
}

/* One conversion, parsed. */
struct conversion {
    size_t width;
    bool zeros; /* pads a number with zeros */
    bool has_precision;
    enum { LENGTH_INT, LENGTH_SIZE, LENGTH_LONG_LONG } length;
    char letter; /* 0 at the end of the format */
};

/* Parses a conversion that begins behind its percent sign. Returns the rest of the format. */
static const char *read_conversion(const char *format, struct conversion *conversion) {
    *conversion = (struct conversion){.length = LENGTH_INT};
    if (*format == '0') {
        conversion->zeros = true;
        format++;
    }
    while (*format >= '0' && *format <= '9') {
        conversion->width = conversion->width * 10 + (size_t)(*format++ - '0');
    }
    if (format[0] == '.' && format[1] == '*') {
        conversion->has_precision = true;
        format += 2;
    }
    if (*format == 'z') {
        conversion->length = LENGTH_SIZE;
        format++;
    } else if (format[0] == 'l' && format[1] == 'l') {
        conversion->length = LENGTH_LONG_LONG;
        format += 2;
    }
    conversion->letter = *format;
    return *format == '\0' ? format : format + 1;
}

/* Writes the digits from the first on, which needs no buffer on the stack. */
static inline __attribute__((always_inline)) void
put_number(struct text *text, const struct conversion *conversion, number value, bool negative) {
    unsigned base = conversion->letter == 'x' || conversion->letter == 'X' ? 16 : 10;
    char ten = conversion->letter == 'X' ? 'A' : 'a';
    number unit = 1; /* of the first digit */
    size_t length = negative ? 2 : 1;
    while (value / unit >= base) {
        unit *= base;
        length++;
    }
    size_t padding = conversion->width > length ? conversion->width - length : 0;
    if (negative && conversion->zeros) {
        put_repeated(text, '-', 1);
    }
    put_repeated(text, conversion->zeros ? '0' : ' ', padding);
    if (negative && !conversion->zeros) {
        put_repeated(text, '-', 1);
    }
    for (; unit > 0; unit /= base) {
        unsigned digit = (unsigned)(value / unit % base);
        put_repeated(text, (char)(digit < 10 ? '0' + digit : (unsigned)ten + digit - 10), 1);
    }
}

static void put_string(struct text *text, const char *string, int most) {
    size_t size = 0;
    while ((most < 0 || size < (size_t)most) && string[size] != '\0') {
        size++;
    }
    put(text, string, size);
}

size_t format_arguments(char *room, size_t size, const char *format, va_list arguments) {
    struct text text = {room, size, 0};
    while (*format != '\0') {
        size_t plain = strcspn(format, "%");
        put(&text, format, plain);
        format += plain;
        if (*format == '\0') {
            break;
        }
        struct conversion conversion;
        format = read_conversion(format + 1, &conversion);
        int most = conversion.has_precision ? va_arg(arguments, int) : -1;
        switch (conversion.letter) {
        case 's':
            put_string(&text, va_arg(arguments, const char *), most);
            break;
        case 'c':
            put_repeated(&text, (char)va_arg(arguments, int), 1);
            break;
        case 'd': {
            long long value = conversion.length == LENGTH_LONG_LONG ? va_arg(arguments, long long)
                                                                    : va_arg(arguments, int);
            put_number(&text, &conversion, value < 0 ? 0 - (number)value : (number)value,
                       value < 0);
            break;
        }
        case 'u':
        case 'x':
        case 'X': {
            unsigned long long value =
                conversion.length == LENGTH_LONG_LONG ? va_arg(arguments, unsigned long long)
                : conversion.length == LENGTH_SIZE    ? va_arg(arguments, size_t)
                                                      : va_arg(arguments, unsigned);
            put_number(&text, &conversion, (number)value, false);
            break;
        }
        default: /* %%; tests/walls allows no other conversions */
            put(&text, "%", 1);
            break;
        }
    }
    room[text.at] = '\0';
    return text.at;
}
