/* Elements of DER, right and wrong. Each is looked at in memory of just its size. */
#include <stdlib.h>

#include "der_writer.h"

/* Takes an element from the front of the bytes. Returns its content's size, or -1, and leaves the
   cursor alone. */
static long take(struct backend_blob bytes) {
    uint8_t *copy = malloc(bytes.size + 1);
    memcpy(copy, bytes.bytes, bytes.size);
    struct backend_blob cursor = {copy, bytes.size};
    struct backend_blob content;
    struct backend_blob whole;
    uint8_t tag = 0;
    bool taken = der_next(&cursor, &tag, &content, &whole);
    long size = -1;
    if (taken) {
        size = (long)content.size;
        cr_assert_eq(tag, bytes.bytes[0]);
        cr_assert_eq(whole.bytes, copy);
        cr_assert_eq(content.bytes + content.size, whole.bytes + whole.size);
        cr_assert_eq(cursor.bytes, whole.bytes + whole.size);
        cr_assert_eq(cursor.size + whole.size, bytes.size);
    } else {
        cr_assert(cursor.bytes == copy && cursor.size == bytes.size);
    }
    free(copy);
    return size;
}

/* An element with a given head and as many bytes behind it. */
static long take_long(struct backend_blob head, size_t behind) {
    struct backend_blob room = {der_room(behind), behind};
    return take(JOIN(head, room));
}

Test(der, lengths) {
    cr_assert_eq(take(BLOB("\x05\x00")), 0);
    cr_assert_eq(take(BLOB("\x04\x01x")), 1);
    cr_assert_eq(take(BLOB("\x04\x01xy")), 1);
    cr_assert_eq(take_long(BLOB("\x04\x7f"), 127), 127);
    cr_assert_eq(take_long(BLOB("\x04\x81\x80"), 128), 128);
    cr_assert_eq(take_long(BLOB("\x04\x81\xff"), 255), 255);
    cr_assert_eq(take_long(BLOB("\x04\x82\x01\x00"), 256), 256);
    cr_assert_eq(take_long(BLOB("\x04\x82\xff\xff"), 65535), 65535);
    cr_assert_eq(take_long(BLOB("\x04\x83\x01\x00\x00"), 65536), 65536);
    cr_assert_eq(take_long(BLOB("\x04\x83\x01\x00\x01"), 65538), 65537);
}

Test(der, lengths_that_are_not_the_shortest) {
    cr_assert_eq(take(BLOB("\x04\x81\x01x")), -1);
    cr_assert_eq(take_long(BLOB("\x04\x81\x7f"), 127), -1);
    cr_assert_eq(take_long(BLOB("\x04\x82\x00\xff"), 255), -1);
    cr_assert_eq(take_long(BLOB("\x04\x83\x00\x01\x00"), 256), -1);
    cr_assert_eq(take_long(BLOB("\x04\x84\x00\x01\x00\x00"), 65536), -1);
    cr_assert_eq(take_long(BLOB("\x04\x85\x00\x00\x00\x00\x80"), 128), -1);
    cr_assert_eq(take_long(BLOB("\x04\x85\x01\x00\x00\x00\x00"), 128), -1);
    cr_assert_eq(take(BLOB("\x04\x80x\x00\x00")), -1); /* indefinite */
    cr_assert_eq(take(BLOB("\x04\xff\x01")), -1);
}

Test(der, elements_that_are_cut) {
    cr_assert_eq(take(NOTHING), -1);
    cr_assert_eq(take(BLOB("\x04")), -1);
    cr_assert_eq(take(BLOB("\x04\x01")), -1);
    cr_assert_eq(take(BLOB("\x04\x81")), -1);
    cr_assert_eq(take(BLOB("\x04\x82\x01")), -1);
    cr_assert_eq(take_long(BLOB("\x04\x81\x80"), 127), -1);
    cr_assert_eq(take_long(BLOB("\x04\x82\x01\x00"), 255), -1);
    cr_assert_eq(take(BLOB("\x04\x84\xff\xff\xff\xff")), -1);
    cr_assert_eq(take(BLOB("\x04\x84\x7f\xff\xff\xff")), -1);
    cr_assert_eq(take(BLOB("\x1f\x81\x01\x00")), -1); /* an identifier of more than one byte */
    cr_assert_eq(take(BLOB("\xbf\x01\x00")), -1);
}

Test(der, elements_of_a_type) {
    struct backend_blob bytes = BLOB("\x04\x01x");
    struct backend_blob cursor = bytes;
    struct backend_blob content;
    bool present = true;
    cr_assert_not(der_take(&cursor, DER_INTEGER, &content));
    cr_assert(der_take_optional(&cursor, DER_INTEGER, &content, &present) && !present);
    cr_assert_eq(cursor.size, 3);
    cr_assert(der_take_optional(&cursor, DER_OCTET_STRING, &content, &present) && present);
    cr_assert(content.size == 1 && cursor.size == 0);
    cr_assert_not(der_take(&cursor, DER_OCTET_STRING, &content));
    cr_assert(der_take_optional(&cursor, DER_OCTET_STRING, &content, &present) && !present);
    struct backend_blob cut = BLOB("\x04\x02x");
    cr_assert_not(der_take_optional(&cut, DER_OCTET_STRING, &content, &present));
    cr_assert(der_whole("\x30\x00", 2, DER_SEQUENCE, &content));
    cr_assert_not(der_whole("\x30\x00\x00", 3, DER_SEQUENCE, &content));
    cr_assert_not(der_whole("\x31\x00", 2, DER_SEQUENCE, &content));
}

static bool takes_bits(struct backend_blob bytes, size_t *size) {
    struct backend_blob content = NOTHING;
    bool taken = der_take_bits(&bytes, &content);
    *size = content.size;
    cr_assert(!taken || content.bytes == bytes.bytes - content.size);
    return taken;
}

Test(der, bits) {
    size_t size = 0;
    cr_assert(takes_bits(BLOB("\x03\x01\x00"), &size) && size == 0);
    cr_assert(takes_bits(BLOB("\x03\x03\x00xy"), &size) && size == 2);
    cr_assert_not(takes_bits(BLOB("\x03\x00"), &size));
    cr_assert_not(takes_bits(BLOB("\x03\x02\x01x"), &size));
    cr_assert_not(takes_bits(BLOB("\x04\x02\x00x"), &size));
}

/* Returns 0 or 1, or -1 if it is refused. */
static int boolean(struct backend_blob bytes) {
    bool value = true;
    return der_take_boolean(&bytes, &value) ? value : -1;
}

Test(der, booleans) {
    cr_assert_eq(boolean(BLOB("\x01\x01\xff")), 1);
    cr_assert_eq(boolean(BLOB("\x01\x01\x00")), 0);
    cr_assert_eq(boolean(BLOB("\x05\x00")), 0);
    cr_assert_eq(boolean(NOTHING), 0);
    cr_assert_eq(boolean(BLOB("\x01\x01\x01")), -1);
    cr_assert_eq(boolean(BLOB("\x01\x01\xfe")), -1);
    cr_assert_eq(boolean(BLOB("\x01\x00")), -1);
    cr_assert_eq(boolean(BLOB("\x01\x02\xff\xff")), -1);
    cr_assert_eq(boolean(BLOB("\x01\x02\xff")), -1);
}

Test(der, integers) {
    static const struct {
        struct backend_blob content;
        bool valid;
        int64_t value; /* -1: not a small one */
    } rows[] = {
#define INTEGER(literal, valid, value)                                                             \
    {{(const uint8_t *)(literal), sizeof(literal) - 1}, valid, value}
        INTEGER("", false, -1),
        INTEGER("\x00", true, 0),
        INTEGER("\x7f", true, 127),
        INTEGER("\x80", true, -1),
        INTEGER("\xff", true, -1),
        INTEGER("\x00\x7f", false, -1),
        INTEGER("\x00\x80", true, 128),
        INTEGER("\x01\x00", true, 256),
        INTEGER("\xff\x7f", true, -1),
        INTEGER("\xff\x80", false, -1),
        INTEGER("\x01\x02\x03\x04", true, 0x01020304),
        INTEGER("\x7f\xff\xff\xff", true, 0x7fffffff),
        INTEGER("\x00\x80\x00\x00\x00", true, -1),
        INTEGER("\x01\x00\x00\x00\x00", true, -1),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t value = 1;
        cr_assert_eq(der_is_integer(&rows[i].content), rows[i].valid, "row %zu", i);
        cr_assert_eq(der_small_integer(&rows[i].content, UINT32_MAX, &value), rows[i].value >= 0,
                     "row %zu", i);
        if (rows[i].value >= 0) {
            cr_assert_eq(value, rows[i].value);
            cr_assert(der_small_integer(&rows[i].content, value, &value));
            cr_assert(value == 0 || !der_small_integer(&rows[i].content, value - 1, &value));
        }
    }
}

Test(der, small_integers) {
    static const struct {
        struct backend_blob bytes;
        int value; /* -1: refused */
    } rows[] = {
#define SMALL(literal, value) {{(const uint8_t *)(literal), sizeof(literal) - 1}, value}
        SMALL("\x02\x01\x00", 0),      SMALL("\x02\x01\x7f", 127),   SMALL("\x02\x01\x80", -1),
        SMALL("\x02\x02\x00\x80", -1), SMALL("\x04\x01\x00", -1),    SMALL("\x02\x01", -1),
        SMALL("\x02\x00\x00", -1),     SMALL("\x02\x01\x05\x05", 5),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct backend_blob cursor = rows[i].bytes;
        uint8_t value = 99;
        bool taken = der_take_small(&cursor, &value);
        cr_assert_eq(taken, rows[i].value >= 0, "row %zu", i);
        cr_assert_eq(cursor.size, rows[i].bytes.size - (taken ? 3 : 0));
        cr_assert_eq(cursor.bytes, rows[i].bytes.bytes + (taken ? 3 : 0));
        cr_assert(!taken || value == rows[i].value);
    }
}

Test(der, object_identifiers) {
    cr_assert(der_is_oid(&BLOB("\x2a")));
    cr_assert(der_is_oid(&BLOB("\x2a\x86\x48\x00")));
    cr_assert(der_is_oid(&BLOB("\x2a\x81\x80\x00")));
    cr_assert_not(der_is_oid(&NOTHING));
    cr_assert_not(der_is_oid(&BLOB("\x2a\x86")));
    cr_assert_not(der_is_oid(&BLOB("\x80\x01")));
    cr_assert_not(der_is_oid(&BLOB("\x2a\x80\x01")));
    struct backend_blob cursor = BLOB("\x06\x01\x2a\x06\x01\x80\x05\x00");
    struct backend_blob content;
    cr_assert(der_take_oid(&cursor, &content) && content.size == 1);
    cr_assert_not(der_take_oid(&cursor, &content));
    struct backend_blob other = BLOB("\x05\x00");
    cr_assert_not(der_take_oid(&other, &content));
}

Test(der, equality) {
    struct backend_blob one = BLOB("ab");
    struct backend_blob same = BLOB("ab");
    struct backend_blob other = BLOB("ac");
    struct backend_blob shorter = BLOB("a");
    struct backend_blob nothing = {NULL, 0};
    struct backend_blob empty = NOTHING;
    cr_assert(der_equal(&one, &same));
    cr_assert(der_equal(&nothing, &empty));
    cr_assert_not(der_equal(&one, &other));
    cr_assert_not(der_equal(&one, &shorter));
}
