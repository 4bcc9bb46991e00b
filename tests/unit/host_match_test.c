/* Hosts against the subject alternative names of a certificate, and the list of these names. */
#include "core/x509/host_match.h"

#include "chain_certificates.h"
#include "core/x509/dns_name.h"

/* A certificate with these names alone. */
struct named {
    struct certificate certificate;
    uint8_t bytes[600];
};

static void add(struct named *named, uint8_t tag, const void *value, size_t size) {
    size_t used = named->certificate.alternative_names.size;
    cr_assert(size < 0x80 && used + size + 2 <= sizeof named->bytes);
    named->bytes[used] = tag;
    named->bytes[used + 1] = (uint8_t)size;
    memcpy(named->bytes + used + 2, value, size);
    named->certificate.has_alternative_names = true;
    named->certificate.alternative_names = (struct backend_blob){named->bytes, used + size + 2};
}

static void add_dns(struct named *named, const char *name) {
    add(named, DER_CONTEXT(2), name, strlen(name));
}

static bool dns_matches(const char *pattern, const char *host) {
    struct named named = {.bytes = {0}};
    add_dns(&named, pattern);
    return host_matches(&named.certificate, host, false);
}

static void expect_list(const struct named *named, size_t size, const char *expected) {
    char text[256];
    memset(text, '#', sizeof text);
    host_list(&named->certificate, text, size);
    cr_assert_str_eq(text, expected, "%s", text);
    cr_assert(size == sizeof text || text[size] == '#');
}

Test(host_match, ignores_case_and_nothing_else) {
    cr_assert(dns_matches("a.b.test", "a.b.test"));
    cr_assert(dns_matches("A.b.TEST", "a.B.test"));
    cr_assert(dns_matches("_a.b.test", "_a.b.test"));
    cr_assert_not(dns_matches("a.b.test", "a.b.tesu"));
    cr_assert_not(dns_matches("a.b.test", "a.b.test."));
    cr_assert_not(dns_matches("a.b.test.", "a.b.test"));
    cr_assert_not(dns_matches("a.b.test", "x.a.b.test"));
    cr_assert_not(dns_matches("", ""));
}

Test(host_match, one_letter_is_no_wildcard) {
    cr_assert_not(dns_matches("x.b.test", "a.b.test"));
    cr_assert_not(dns_matches("x.b.test", "xyz.b.test"));
}

Test(host_match, name_does_not_end_with_a_longer_one) {
    struct backend_blob longer = BLOB("a.test");
    struct backend_blob shorter = blob_after(&longer, 1);
    cr_assert(dns_name_ends_with(&longer, &shorter));
    cr_assert_not(dns_name_ends_with(&shorter, &longer));
    cr_assert_not(dns_name_equal(&shorter, &longer));
    cr_assert_not(dns_name_ends_with(&NOTHING, &longer));
}

Test(host_match, wildcard_stands_for_one_whole_label) {
    cr_assert(dns_matches("*.b.test", "a.b.test"));
    cr_assert(dns_matches("*.b.test", "xn--bcher-kva.B.test"));
    cr_assert(dns_matches("*.a-b.x1.test", "-.a-b.x1.test"));
    cr_assert_not(dns_matches("*.b.test", "b.test"));
    cr_assert_not(dns_matches("*.b.test", ".b.test"));
    cr_assert_not(dns_matches("*.b.test", "a.a.b.test"));
    cr_assert_not(dns_matches("*.b.test", "a.xb.test"));
    cr_assert_not(dns_matches("a*.b.test", "ab.b.test"));
    cr_assert_not(dns_matches("*a.b.test", "aa.b.test"));
    cr_assert_not(dns_matches("a.*.test", "a.b.test"));
    cr_assert_not(dns_matches("*.*.test", "a.b.test"));
    cr_assert_not(dns_matches("*", "a"));
    cr_assert_not(dns_matches("*.", "a."));
    cr_assert_not(dns_matches("*.test", "a.test"));
    cr_assert_not(dns_matches("*test.net", "atest.net"));
}

/* As OpenSSL does: a wildcard is for host names, and an underscore is in none. */
Test(host_match, wildcard_is_for_plain_labels) {
    cr_assert_not(dns_matches("*.b.test", "a_b.b.test"));
    cr_assert_not(dns_matches("*.b.test", "_.b.test"));
    cr_assert_not(dns_matches("*.a_b.test", "a.a_b.test"));
    cr_assert_not(dns_matches("*.-b.test", "a.-b.test"));
    cr_assert_not(dns_matches("*.b-.test", "a.b-.test"));
    cr_assert_not(dns_matches("*.b.test-", "a.b.test-"));
    cr_assert_not(dns_matches("*.b.-test", "a.b.-test"));
    cr_assert_not(dns_matches("*.b..test", "a.b..test"));
    cr_assert_not(dns_matches("*..test", "a..test"));
    cr_assert_not(dns_matches("*.b.test.", "a.b.test."));
}

Test(host_match, zero_byte_ends_no_name) {
    struct named named = {.bytes = {0}};
    add(&named, DER_CONTEXT(2), "a.test\0.evil.test", 17);
    cr_assert_not(host_matches(&named.certificate, "a.test", false));
    cr_assert_not(host_matches(&named.certificate, "a.test\0.evil.test", false));
}

Test(host_match, address_matches_addresses_only) {
    struct named named = {.bytes = {0}};
    add_dns(&named, "192.0.2.2");
    add(&named, DER_CONTEXT(7), "\xc0\x00\x02\x01", 4);
    add(&named, DER_CONTEXT(7), "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    cr_assert(host_matches(&named.certificate, "192.0.2.1", true));
    cr_assert(host_matches(&named.certificate, "2001:db8::1", true));
    cr_assert_not(host_matches(&named.certificate, "192.0.2.2", true));
    cr_assert_not(host_matches(&named.certificate, "2001:db8::2", true));
    cr_assert_not(host_matches(&named.certificate, "192.0.2.1", false));
    cr_assert_not(host_matches(&named.certificate, "no address", true));
}

Test(host_match, other_kinds_of_names_match_nothing) {
    struct named named = {.bytes = {0}};
    add(&named, DER_CONTEXT(1), "a.test", 6);
    add(&named, DER_CONTEXT(6), "a.test", 6);
    cr_assert_not(host_matches(&named.certificate, "a.test", false));
    expect_list(&named, 64, "");
}

/* Behind a name that is no DER, no other counts. */
Test(host_match, stops_at_junk) {
    struct named named = {.bytes = {0}};
    add_dns(&named, "a.test");
    add(&named, 0x1f, "", 0);
    add_dns(&named, "b.test");
    cr_assert(host_matches(&named.certificate, "a.test", false));
    cr_assert_not(host_matches(&named.certificate, "b.test", false));
}

Test(host_match, lists_hosts) {
    struct named named = {.bytes = {0}};
    expect_list(&named, 64, "");
    add_dns(&named, "*.a.test");
    expect_list(&named, 64, "*.a.test");
    add(&named, DER_CONTEXT(1), "someone@a.test", 14);
    add(&named, DER_CONTEXT(7), "\xc0\x00\x02\xff", 4);
    add(&named, DER_CONTEXT(7), "\xc0\x00\x02", 3);
    add(&named, DER_CONTEXT(7), "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\xff\x01", 16);
    expect_list(&named, 128, "*.a.test, 192.0.2.255, 2001:db8:0:0:0:0:0:ff01");
}

Test(host_match, escapes_what_no_host_name_has) {
    struct named named = {.bytes = {0}};
    add(&named, DER_CONTEXT(2), "a, b\\\n\x1b[1m\xff\0_", 12);
    expect_list(&named, 128, "a\\x2C\\x20b\\x5C\\x0A\\x1B[1m\\xFF\\x00");
    add_dns(&named, "c");
    expect_list(&named, 128, "a\\x2C\\x20b\\x5C\\x0A\\x1B[1m\\xFF\\x00, c");
}

Test(host_match, text_that_is_no_address_matches_no_empty_one) {
    struct named named = {.bytes = {0}};
    add(&named, DER_CONTEXT(7), "", 0);
    cr_assert_not(host_matches(&named.certificate, "1.2.3", true));
    cr_assert_not(host_matches(&named.certificate, "", true));
}

Test(host_match, truncates_the_list_between_names) {
    struct named named = {.bytes = {0}};
    add_dns(&named, "first.test");
    add_dns(&named, "second.test");
    expect_list(&named, 30, "first.test, second.test");
    expect_list(&named, 29, "first.test, ...");
    expect_list(&named, 17, "first.test, ...");
    expect_list(&named, 16, "...");
    expect_list(&named, 8, "...");
}

Test(host_match, der_that_is_no_certificate_matches_nothing) {
    char names[64] = "#";
    struct backend_blob der = {(const uint8_t *)"\x30\x00", 2};
    cr_assert_not(host_matches_der(&der, "a.test", false, names, sizeof names));
    cr_assert_str_eq(names, "");
    struct der_certificate parts = der_certificate();
    parts.extensions = FOR_HOST("a.test");
    der = der_write(&parts);
    cr_assert(host_matches_der(&der, "a.test", false, names, sizeof names));
    cr_assert_str_eq(names, "a.test");
    parts.behind_signature = BLOB("\x05\x00"); /* what comes before is right */
    der = der_write(&parts);
    cr_assert_not(host_matches_der(&der, "a.test", false, names, sizeof names));
    cr_assert_str_eq(names, "");
}
