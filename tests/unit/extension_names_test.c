/* The general names in the extensions of a certificate: name constraints, and parties of EDI. */
#include <criterion/criterion.h>

#include "tests/unit/der_writer.h"

static bool parses(uint8_t number, struct backend_blob value) {
    struct der_certificate parts = der_certificate();
    struct certificate certificate;
    parts.extensions = der_standard_extension(number, false, value);
    return der_parse(&parts, &certificate);
}

struct row {
    const char *what;
    struct backend_blob value;
};

/* Also where no name is held to them, which is when their bases are matched. */
Test(extension_names, malformed_name_constraints_are_refused) {
    const struct row rows[] = {
        {"more than both lists", BLOB("\x30\x05\xa0\x00\xa1\x00\x00")},
        {"excluded names before permitted ones", BLOB("\x30\x04\xa1\x00\xa0\x00")},
        {"permitted names that are cut", BLOB("\x30\x02\xa0\x05")},
        {"excluded names that are cut", BLOB("\x30\x04\xa0\x00\xa1\x05")},
        {"a subtree that is a SET", BLOB("\x30\x07\xa0\x05\x31\x03\x82\x01x")},
        {"a subtree without a base", BLOB("\x30\x04\xa1\x02\x30\x00")},
        {"a base of no kind", BLOB("\x30\x07\xa0\x05\x30\x03\x89\x01x")},
        {"a base of an X.400 address", BLOB("\x30\x06\xa0\x04\x30\x02\xa3\x00")},
        {"a base of an EDI party", BLOB("\x30\x0b\xa0\x09\x30\x07\xa5\x05\xa1\x03\x0c\x01x")},
        {"a base that is cut", BLOB("\x30\x07\xa1\x05\x30\x03\x82\x05x")},
        {"a base that is no directory name", BLOB("\x30\x08\xa0\x06\x30\x04\xa4\x02\x31\x00")},
        {"a base that is no other name", BLOB("\x30\x06\xa0\x04\x30\x02\xa0\x00")},
        {"junk behind a base", BLOB("\x30\x08\xa0\x06\x30\x04\x82\x01x\x80")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_expect_not(parses(0x1e, rows[i].value), "%s", rows[i].what);
    }
}

Test(extension_names, name_constraints_are_accepted) {
    cr_expect(parses(0x1e, BLOB("\x30\x04\xa0\x00\xa1\x00")));
    cr_expect(parses(0x1e, BLOB("\x30\x07\xa1\x05\x30\x03\x82\x01x")));
    cr_expect(parses(0x1e, BLOB("\x30\x08\xa0\x06\x30\x04\xa4\x02\x30\x00")));
    cr_expect(parses(0x1e, BLOB("\x30\x0a\xa0\x08\x30\x06\x82\x01x\x80\x01\x00")));
}

Test(extension_names, edi_parties_have_a_name_and_may_have_an_assigner) {
    cr_expect(parses(0x11, BLOB("\x30\x0c\xa5\x0a\xa0\x03\x0c\x01x\xa1\x03\x0c\x01x")));
    cr_expect(parses(0x11, BLOB("\x30\x07\xa5\x05\xa1\x03\x0c\x01x")));
    cr_expect_not(parses(0x11, BLOB("\x30\x02\xa5\x00")));
    cr_expect_not(parses(0x11, BLOB("\x30\x07\xa5\x05\xa0\x03\x0c\x01x")));
    cr_expect_not(parses(0x11, BLOB("\x30\x07\xa5\x05\xa1\x03\x02\x01\x01")));
    cr_expect_not(parses(0x11, BLOB("\x30\x0a\xa5\x08\xa1\x06\x0c\x01x\x0c\x01x")));
    cr_expect_not(parses(0x11, BLOB("\x30\x08\xa5\x06\xa1\x03\x0c\x01x\xa2")));
}
