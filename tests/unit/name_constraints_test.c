/* The names of a certificate against the name constraints of an authority; hosts are in
   name_constraints_hosts_test.c. */
#include "constrained.h"

#define NET  "\x0a\x14\x1e\x28"
#define SIX  "\x20\x01\x0d\xb8\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
#define ONES "\xff\xff\xff\xff"
#define ZERO "\0\0\0\0"

Test(name_constraints, each_byte_of_an_address_counts) {
    static const struct row rows[] = {
        ROW(ADDRESS, NET ONES, NET, COVERS),
        ROW(ADDRESS, NET ONES, "\x0b\x14\x1e\x28", IS_BESIDE),
        ROW(ADDRESS, NET ONES, "\x0a\x15\x1e\x28", IS_BESIDE),
        ROW(ADDRESS, NET ONES, "\x0a\x14\x1f\x28", IS_BESIDE),
        ROW(ADDRESS, NET ONES, "\x0a\x14\x1e\x29", IS_BESIDE),
        ROW(ADDRESS, NET "\xff\xff\xff\xfe", "\x0a\x14\x1e\x29", COVERS),
        ROW(ADDRESS, NET "\xff\xff\xff\xfe", "\x0a\x14\x1e\x2a", IS_BESIDE),
        ROW(ADDRESS, NET "\xff\xf0\0\0", "\x0a\x1f\xff\xff", COVERS),
        ROW(ADDRESS, NET "\xff\xf0\0\0", "\x0a\x20\x1e\x28", IS_BESIDE),
        ROW(ADDRESS, NET ZERO, "\xff\xff\xff\xff", COVERS),
        ROW(ADDRESS, SIX ONES ONES ONES ONES, SIX, COVERS),
        ROW(ADDRESS, SIX ONES ONES ONES ONES,
            "\x20\x01\x0d\xb8\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0d", IS_BESIDE),
        ROW(ADDRESS, SIX ONES ONES ONES "\xff\xff\xff\0",
            "\x20\x01\x0d\xb8\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0d", COVERS),
        ROW(ADDRESS, SIX ONES ONES ZERO ZERO,
            "\x20\x01\x0d\xb8\x01\x02\x03\x05\x05\x06\x07\x08\x09\x0a\x0b\x0c", IS_BESIDE),
        /* the other family */
        ROW(ADDRESS, NET ZERO, SIX, IS_BESIDE),
        ROW(ADDRESS, SIX ZERO ZERO ZERO ZERO, NET, IS_BESIDE),
    };
    CHECK_ROWS(rows);
}

Test(name_constraints, malformed_address_or_mask_is_refused) {
    static const struct row rows[] = {
        ROW(ADDRESS, NET "\xff\x00\xff\x00", NET, REFUSES),
        ROW(ADDRESS, NET "\x00\xff\x00\x00", NET, REFUSES),
        ROW(ADDRESS, NET "\xff\xff\xff\xfd", NET, REFUSES),
        ROW(ADDRESS, NET "\xff\xfe\x80\x00", NET, REFUSES),
        ROW(ADDRESS, NET "\x7f\x00\x00\x00", NET, REFUSES),
        ROW(ADDRESS, NET "\xff\xff\xff\x01", "\x0b\x14\x1e\x28", REFUSES),
        ROW(ADDRESS, SIX ONES ZERO ZERO "\0\0\0\x01", SIX, REFUSES),
        ROW(ADDRESS, NET "\xff\x00\xff\x00", SIX, REFUSES),
        ROW(ADDRESS, NET, NET, REFUSES),
        ROW(ADDRESS, NET ONES ONES ONES, "\x0a\x14\x1e\x28\xff\xff", REFUSES),
        ROW(ADDRESS, NET "\xff\xff\xff", NET, REFUSES),
        ROW(ADDRESS, "", NET, REFUSES),
        ROW(ADDRESS, "", "", REFUSES),
        ROW(ADDRESS, SIX, "\x0a\x14\x1e\x28\x0a\x14\x1e\x28", REFUSES),
        ROW(ADDRESS, NET ONES, "\x0a\x14\x1e", REFUSES),
        ROW(ADDRESS, NET ONES, "", REFUSES),
    };
    CHECK_ROWS(rows);
}

/* Adds a directory name to a list of general names or, as a base, to a list of subtrees. */
static struct der directory(const char *organisation, const char *unit) {
    struct der name = {.size = 0};
    struct der whole = {.size = 0};
    if (organisation != NULL) {
        der_add_rdn(&name, OID_O, DER_UTF8_STRING, organisation);
    }
    if (unit != NULL) {
        der_add_rdn(&name, OID_OU, DER_PRINTABLE_STRING, unit);
    }
    der_add_der(&whole, DER_SEQUENCE, &name);
    return whole;
}

static void check_directory(struct der base, struct der name, enum relation relation) {
    struct row row = {NAME_DIRECTORY, (const char *)base.bytes,
                      base.size,      (const char *)name.bytes,
                      name.size,      relation};
    cr_expect_eq(row_holds(&row, PERMITTED), relation == COVERS);
    cr_expect_eq(row_holds(&row, EXCLUDED), relation == IS_BESIDE);
}

Test(name_constraints, directory_name_covers_names_that_begin_with_it) {
    check_directory(directory("a", NULL), directory("a", NULL), COVERS);
    check_directory(directory("a", NULL), directory("a", "b"), COVERS);
    check_directory(directory("a", "b"), directory(" A ", "B"), COVERS);
    check_directory(directory(NULL, NULL), directory("a", "b"), COVERS);
    check_directory(directory("a", "b"), directory("a", NULL), IS_BESIDE);
    check_directory(directory("a", "b"), directory("a", "c"), IS_BESIDE);
    check_directory(directory(NULL, "a"), directory("a", NULL), IS_BESIDE);
    check_directory(directory("a", NULL), directory(NULL, NULL), IS_BESIDE);
}

Test(name_constraints, malformed_directory_name_is_refused) {
    struct der good = directory("a", NULL);
    struct der behind = good;
    der_add_text(&behind, DER_UTF8_STRING, "");
    struct der empty_set = {.size = 0};
    der_add_text(&empty_set, DER_SEQUENCE, "\x31");
    struct der set = {.bytes = {0x30, 0x02, 0x31, 0x00}, .size = 4};
    struct der not_utf8 = directory("\xff", NULL);
    struct der content = {.size = 0};
    der_add_rdn(&content, OID_O, DER_UTF8_STRING, "a");
    const struct der *malformed[] = {&behind, &empty_set, &set, &not_utf8, &content};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        check_directory(good, *malformed[i], REFUSES);
        check_directory(*malformed[i], good, REFUSES);
    }
}

/* A subject is a directory name, and so are the mail addresses in it mail addresses. */
Test(name_constraints, subject_is_held_as_a_directory_name) {
    struct fixture fixture = {.left = 0};
    struct der base = directory("a", NULL);
    cr_assert(holds(&fixture));
    constrain(&fixture, PERMITTED, NAME_DIRECTORY, base.bytes, base.size);
    cr_expect(holds(&fixture), "no subject");
    der_add_rdn(&fixture.subject, OID_O, DER_PRINTABLE_STRING, "A");
    cr_expect(holds(&fixture));
    der_add_rdn(&fixture.subject, OID_CN, DER_PRINTABLE_STRING, "b");
    cr_expect(holds(&fixture));
    fixture.subject.size = 0;
    der_add_rdn(&fixture.subject, OID_O, DER_PRINTABLE_STRING, "b");
    cr_expect_not(holds(&fixture));
    fixture.lists[PERMITTED].size = 0;
    cr_expect(holds(&fixture));
    constrain(&fixture, EXCLUDED, NAME_DIRECTORY, base.bytes, base.size);
    cr_expect(holds(&fixture));
    fixture.subject.size = 0;
    der_add_rdn(&fixture.subject, OID_O, DER_PRINTABLE_STRING, "A");
    cr_expect_not(holds(&fixture));
}

static bool subject_mail_holds(uint8_t tag, const char *address, bool is_mail) {
    static const char mail[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01";
    struct fixture fixture = {.left = 0};
    struct der set = {.size = 0};
    constrain(&fixture, PERMITTED, NAME_EMAIL, "in.test", 7);
    der_add_rdn(&fixture.subject, OID_O, DER_PRINTABLE_STRING, "a");
    der_add_attribute(&set, OID_CN, 3, DER_PRINTABLE_STRING, "b", 1);
    der_add_attribute(&set, mail, is_mail ? 9 : 8, tag, address, strlen(address));
    der_add_der(&fixture.subject, DER_SET, &set);
    return holds(&fixture);
}

Test(name_constraints, mail_address_of_the_subject_is_held) {
    cr_expect(subject_mail_holds(DER_IA5_STRING, "a@in.test", true));
    cr_expect_not(subject_mail_holds(DER_UTF8_STRING, "a@in.test", true));
    cr_expect_not(subject_mail_holds(DER_IA5_STRING, "a@out.test", true));
    cr_expect_not(subject_mail_holds(DER_IA5_STRING, "", true));
    cr_expect(subject_mail_holds(DER_IA5_STRING, "a@out.test", false));
}

static bool common_name_holds(const char *oid, uint8_t tag, const char *name, size_t size,
                              bool is_leaf, bool has_names) {
    struct fixture fixture = {.is_leaf = is_leaf};
    struct der set = {.size = 0};
    constrain(&fixture, PERMITTED, NAME_DNS, "in.test", 7);
    der_add_attribute(&set, oid, 3, tag, name, size);
    der_add_der(&fixture.subject, DER_SET, &set);
    if (has_names) {
        der_add_text(&fixture.names, NAME_URI, "urn:a");
    }
    return holds(&fixture);
}

/* As OpenSSL does, if no alternative name takes its place. No host is compared with it. */
Test(name_constraints, common_name_of_a_nameless_leaf_is_held_if_it_looks_like_a_host) {
    static const struct {
        uint8_t tag;
        const char *name;
        size_t size;
        bool good;
    } rows[] = {
        {DER_UTF8_STRING, "a.in.test", 9, true},
        {DER_UTF8_STRING, "out.test", 8, false},
        {DER_PRINTABLE_STRING, "OUT.test", 8, false},
        {DER_UTF8_STRING, "*.evil.test", 11, false},
        {DER_UTF8_STRING, "out.test\0\0", 10, false},
        {DER_UTF8_STRING, "\0", 1, true},
        {DER_UTF8_STRING, "", 0, true},
        {DER_UTF8_STRING, "Alice A. Person", 15, true},
        {DER_UTF8_STRING, "-evil.test", 10, true},
        {DER_UTF8_STRING, "intranet", 8, true},
        {DER_BMP_STRING, "\0a", 2, false},
        {DER_UNIVERSAL_STRING, "\0\0\0a", 4, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t tag = rows[i].tag;
        const char *name = rows[i].name;
        size_t size = rows[i].size;
        cr_expect_eq(common_name_holds(OID_CN, tag, name, size, true, false), rows[i].good,
                     "row %zu", i);
        cr_expect(common_name_holds(OID_CN, tag, name, size, true, true), "row %zu", i);
        cr_expect(common_name_holds(OID_CN, tag, name, size, false, false), "row %zu", i);
        cr_expect(common_name_holds(OID_OU, tag, name, size, true, false), "row %zu", i);
    }
}

#define SMTP_UTF8 "\x2b\x06\x01\x05\x05\x07\x08\x09"

/* Returns whether an other name satisfies a constraint on mail addresses. */
static bool other_name_holds(int list, const char *type, uint8_t wrapper, uint8_t tag,
                             const char *text) {
    struct fixture fixture = {.left = 0};
    struct der other = {.size = 0};
    struct der value = {.size = 0};
    constrain(&fixture, list, NAME_EMAIL, "in.test", 7);
    der_add_text(&value, tag, text);
    der_add_text(&other, DER_OID, type);
    der_add_der(&other, wrapper, &value);
    der_add_der(&fixture.names, NAME_OTHER, &other);
    return holds(&fixture);
}

Test(name_constraints, mail_address_in_utf8_is_held) {
    const uint8_t inside = DER_CONTEXT_CONSTRUCTED(0);
    static const char *const good[] = {"a@in.test", "\xc3\xa9@in.test"};
    for (size_t i = 0; i < 2; i++) {
        cr_expect(other_name_holds(PERMITTED, SMTP_UTF8, inside, DER_UTF8_STRING, good[i]));
        cr_expect_not(other_name_holds(EXCLUDED, SMTP_UTF8, inside, DER_UTF8_STRING, good[i]));
    }
    cr_expect_not(
        other_name_holds(PERMITTED, SMTP_UTF8, inside, DER_UTF8_STRING, "\xc3\xa9@out.test"));
    cr_expect(other_name_holds(EXCLUDED, SMTP_UTF8, inside, DER_UTF8_STRING, "a@out.test"));
    for (int list = 0; list < 2; list++) {
        cr_expect_not(
            other_name_holds(list, SMTP_UTF8, inside, DER_UTF8_STRING, "a@\xc3\xa9.in.test"));
        cr_expect_not(other_name_holds(list, SMTP_UTF8, inside, DER_IA5_STRING, "a@in.test"));
        cr_expect_not(
            other_name_holds(list, SMTP_UTF8, DER_SEQUENCE, DER_UTF8_STRING, "a@in.test"));
        cr_expect(other_name_holds(list, "\x2b\x06\x01\x05\x05\x07\x08\x0b", inside,
                                   DER_UTF8_STRING, "a@out.test"));
    }
}

/* A name of a kind that is constrained and not understood is refused, and of another is not. */
Test(name_constraints, kinds_that_are_not_understood_are_refused_if_constrained) {
    static const uint8_t kinds[] = {NAME_OTHER, NAME_X400, NAME_EDI_PARTY, NAME_REGISTERED_ID};
    static const uint8_t all[] = {NAME_OTHER, NAME_EMAIL,     NAME_DNS,
                                  NAME_X400,  NAME_DIRECTORY, NAME_EDI_PARTY,
                                  NAME_URI,   NAME_ADDRESS,   NAME_REGISTERED_ID};
    for (size_t i = 0; i < sizeof kinds; i++) {
        struct row row = {kinds[i], "\x06\x01\x2a", 3, "\x06\x01\x2a", 3, REFUSES};
        check_rows(&row, 1);
        /* Not even one of the size of an address and a mask. */
        struct row sized = {kinds[i], NET ONES, 8, NET, 4, REFUSES};
        check_rows(&sized, 1);
        for (size_t other = 0; other < sizeof all; other++) {
            struct fixture fixture = {.left = 0};
            constrain(&fixture, PERMITTED, all[other], "in.test", 7);
            constrain(&fixture, EXCLUDED, all[other], "in.test", 7);
            der_add(&fixture.names, kinds[i], "\x06\x01\x2a", 3);
            cr_expect_eq(holds(&fixture), kinds[i] != all[other], "%02x", all[other]);
        }
    }
}

Test(name_constraints, base_of_an_unknown_kind_is_refused) {
    static const uint8_t tags[] = {0x80, 0xa1, 0xa2, 0x83, 0x84, 0x85, 0xa6, 0xa7, 0xa8, 0x89,
                                   0xa9, 0x8a, 0x8c, 0xac, 0x30, 0x02, 0x42, 0xc2, 0x9e, 0xbe};
    for (size_t i = 0; i < sizeof tags; i++) {
        for (int list = 0; list < 2; list++) {
            struct fixture fixture = {.left = 0};
            der_add_text(&fixture.names, NAME_DNS, "in.test");
            cr_expect(holds(&fixture));
            constrain(&fixture, list, tags[i], "in.test", 7);
            cr_expect_not(holds(&fixture), "%02x", tags[i]);
        }
    }
}

Test(name_constraints, minimum_and_maximum_are_refused) {
    for (uint8_t tag = 0x80; tag < 0x83; tag++) {
        struct fixture fixture = {.left = 0};
        struct der subtree = {.size = 0};
        der_add_text(&subtree, NAME_DNS, "in.test");
        der_add(&subtree, tag, "\0", 1);
        der_add_text(&fixture.names, NAME_DNS, "in.test");
        der_add_der(&fixture.lists[PERMITTED], DER_SEQUENCE, &subtree);
        cr_expect_not(holds(&fixture), "%02x", tag);
    }
}

Test(name_constraints, malformed_constraints_are_refused) {
    static const struct {
        const char *bytes;
        size_t size;
        bool good;
    } rows[] = {
        {"\xa0\x0b\x30\x09\x82\x07in.test", 13, true},
        {"\xa0\x0b\x30\x09\x82\x07in.test\xa1\x05\x30\x03\x82\x01y", 20, true},
        {"\xa0\x0b\x30\x09\x82\x07in.test\xa2\x00", 15, false},
        {"\xa1\x05\x30\x03\x82\x01y\xa0\x0b\x30\x09\x82\x07in.test", 20, false},
        {"\xa0\x0c\x30\x09\x82\x07in.test", 13, false},
        {"\xa0\x0b\x31\x09\x82\x07in.test", 13, false},
        {"\xa0\x0b\x30\x09\x82\x06in.test", 13, false},
        {"\xa0\x0b\x30\x09\x82\x07in.test\xa1\x01\x30", 16, false},
        {"\xa0\x0d\x30\x09\x82\x07in.test\x30\x00", 15, false},
        {"\x30\x00", 2, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture fixture = {.left = NAME_COMPARISONS_MAX};
        struct der constraints = {.size = rows[i].size};
        memcpy(constraints.bytes, rows[i].bytes, rows[i].size);
        der_add_text(&fixture.names, NAME_DNS, "in.test");
        cr_expect_eq(holds_with(&fixture, &constraints), rows[i].good, "row %zu", i);
    }
}

Test(name_constraints, one_permitted_base_of_each_kind_suffices) {
    struct fixture fixture = {.left = 0};
    constrain(&fixture, PERMITTED, NAME_DNS, "a.test", 6);
    constrain(&fixture, PERMITTED, NAME_DNS, "b.test", 6);
    constrain(&fixture, PERMITTED, NAME_EMAIL, "c.test", 6);
    der_add_text(&fixture.names, NAME_DNS, "x.a.test");
    der_add_text(&fixture.names, NAME_DNS, "x.b.test");
    der_add_text(&fixture.names, NAME_URI, "urn:c");
    cr_expect(holds(&fixture));
    constrain(&fixture, EXCLUDED, NAME_DNS, "y.b.test", 8);
    cr_expect(holds(&fixture));
    struct fixture third = fixture;
    der_add_text(&third.names, NAME_DNS, "c.test");
    cr_expect_not(holds(&third), "the third name is in no base");
    third = fixture;
    der_add_text(&third.names, NAME_DNS, "z.y.b.test");
    cr_expect_not(holds(&third), "the third name is permitted and excluded");
    third = fixture;
    constrain(&third, PERMITTED, NAME_DNS, "*", 1);
    cr_expect_not(holds(&third), "a base that cannot be compared, behind one that permits");
}

Test(name_constraints, junk_among_the_names_is_refused) {
    struct fixture fixture = {.left = 0};
    constrain(&fixture, PERMITTED, NAME_DNS, "in.test", 7);
    der_add_text(&fixture.names, NAME_DNS, "in.test");
    cr_expect(holds(&fixture));
    fixture.names.bytes[fixture.names.size++] = 0x82;
    cr_expect_not(holds(&fixture));
}

Test(name_constraints, certificate_without_constraints_restricts_nothing) {
    struct name_check check = {.left = 1};
    struct der junk = {.bytes = {0xff}, .size = 1};
    struct certificate authority = {.name_constraints = der_blob(&junk)};
    struct certificate certificate = {.has_alternative_names = true,
                                      .alternative_names = der_blob(&junk)};
    cr_expect(name_constraints_hold(&authority, &certificate, true, &check));
    cr_expect_eq(check.left, 1);
}

/* Checks one name against two bases of another kind, whose sizes are given together with it. */
static bool holds_for(size_t name_size, size_t base_size, size_t *left) {
    static const char text[400] = {0};
    struct fixture fixture = {.left = *left};
    struct der list = {.size = 0};
    struct der constraints = {.size = 0};
    constrain(&fixture, PERMITTED, NAME_EMAIL, text, base_size);
    constrain(&fixture, PERMITTED, NAME_EMAIL, text, base_size);
    list = fixture.lists[PERMITTED];
    der_add_der(&constraints, DER_CONTEXT_CONSTRUCTED(0), &list);
    der_add(&fixture.names, NAME_DNS, text, name_size);
    bool result = holds_with(&fixture, &constraints);
    *left = fixture.left;
    return result;
}

Test(name_constraints, comparisons_are_bounded) {
    static const struct {
        size_t name_size, base_size, cost;
    } rows[] = {{10, 10, 2}, {32, 31, 2}, {32, 32, 4}, {100, 300, 14}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t left = rows[i].cost + 1;
        cr_expect(holds_for(rows[i].name_size, rows[i].base_size, &left), "row %zu", i);
        cr_expect_eq(left, 1, "row %zu: %zu", i, left);
        left = rows[i].cost;
        cr_expect_not(holds_for(rows[i].name_size, rows[i].base_size, &left), "row %zu", i);
        cr_expect_eq(left, 0, "row %zu: %zu", i, left);
    }
}
