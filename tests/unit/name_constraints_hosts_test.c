/* DNS names, mail addresses and URIs against the name constraints of an authority. */
#include "constrained.h"

/* A DNS name of 253 or 254 bytes: labels of 62 letters and a last one. */
#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
#define LONG  LABEL LABEL LABEL LABEL

Test(name_constraints, dns_name_covers_itself_and_names_below) {
    static const struct row rows[] = {
        ROW(DNS, "in.test", "in.test", COVERS),
        ROW(DNS, "in.test", "a.in.test", COVERS),
        ROW(DNS, "in.test", "b.a.in.test", COVERS),
        ROW(DNS, "iN.test", "A.In.TEST", COVERS),
        ROW(DNS, "in.test", "notin.test", IS_BESIDE),
        ROW(DNS, "in.test", "not-in.test", IS_BESIDE),
        ROW(DNS, "in.test", "test", IS_BESIDE),
        ROW(DNS, "in.test", "in.tesu", IS_BESIDE),
        ROW(DNS, "in.test", "in.test.evil", IS_BESIDE),
        ROW(DNS, "in.test", "n.test", IS_BESIDE),
        ROW(DNS, ".in.test", "a.in.test", COVERS),
        ROW(DNS, ".in.test", "in.test", IS_BESIDE),
        ROW(DNS, ".in.test", "not-in.test", IS_BESIDE),
        ROW(DNS, "test", "a.test", COVERS),
        ROW(DNS, "test", "intranet", IS_BESIDE),
        ROW(DNS, "", "a.test", COVERS),
        ROW(DNS, "a_b.test", "_x.a_b.test", COVERS),
        ROW(DNS, "x1-y.test", "0-9.x1-y.test", COVERS),
        ROW(DNS, "", LONG "z", COVERS),
    };
    CHECK_ROWS(rows);
}

Test(name_constraints, malformed_dns_name_is_refused) {
    static const struct row rows[] = {
        ROW(DNS, "in.test", "", REFUSES),
        ROW(DNS, "in.test", ".", REFUSES),
        ROW(DNS, "in.test", ".in.test", REFUSES),
        ROW(DNS, "in.test", "in.test.", REFUSES),
        ROW(DNS, "in.test", "a..in.test", REFUSES),
        ROW(DNS, "in.test", "-a.in.test", REFUSES),
        ROW(DNS, "in.test", "a-.in.test", REFUSES),
        ROW(DNS, "in.test", "evil.test\0.in.test", REFUSES),
        ROW(DNS, "in.test", "evil.test .in.test", REFUSES),
        ROW(DNS, "in.test", " a.in.test", REFUSES),
        ROW(DNS, "in.test", "a/b.in.test", REFUSES),
        ROW(DNS, "in.test", "a:b.in.test", REFUSES),
        ROW(DNS, "in.test", "a@.in.test", REFUSES),
        ROW(DNS, "in.test", "a[.in.test", REFUSES),
        ROW(DNS, "in.test", "a`.in.test", REFUSES),
        ROW(DNS, "in.test", "a{.in.test", REFUSES),
        ROW(DNS, "in.test", "\xc3\xa9.in.test", REFUSES),
        ROW(DNS, "", "", REFUSES),
        ROW(DNS, "", "a..test", REFUSES),
        ROW(DNS, "", LONG "zz", REFUSES),
        ROW(DNS, ".", "in.test", REFUSES),
        ROW(DNS, "..in.test", "a.in.test", REFUSES),
        ROW(DNS, "in.test.", "in.test", REFUSES),
        ROW(DNS, "in..test", "in.test", REFUSES),
        ROW(DNS, "*.in.test", "a.in.test", REFUSES),
        ROW(DNS, "in .test", "in.test", REFUSES),
    };
    CHECK_ROWS(rows);
}

Test(name_constraints, wildcard_is_covered_like_a_label) {
    static const struct row rows[] = {
        ROW(DNS, "in.test", "*.in.test", COVERS),
        ROW(DNS, "in.test", "*.a.in.test", COVERS),
        ROW(DNS, ".in.test", "*.in.test", COVERS),
        ROW(DNS, "in.test", "*.not-in.test", IS_BESIDE),
        ROW(DNS, "a.b.in.test", "*.in.test", IS_BESIDE),
        ROW(DNS, "in.test", "*.test.in", IS_BESIDE),
        ROW(DNS, "in.test", "*", REFUSES),
        ROW(DNS, "in.test", "*.", REFUSES),
        ROW(DNS, "in.test", "*in.test", REFUSES),
        ROW(DNS, "in.test", "w*.in.test", REFUSES),
        ROW(DNS, "in.test", "*.*.in.test", REFUSES),
        ROW(DNS, "in.test", "a.*.in.test", REFUSES),
        ROW(DNS, "in.test", "*..in.test", REFUSES),
    };
    CHECK_ROWS(rows);
}

/* CVE-2025-61727: a.in.test may be excluded, and then *.in.test stands for it. Permitting it does
   not permit what else the wildcard stands for. */
Test(name_constraints, wildcard_touches_a_label_in_its_place) {
    static const struct row rows[] = {
        ROW(DNS, "a.in.test", "*.in.test", REFUSES),
        ROW(DNS, "A.IN.test", "*.in.TEST", REFUSES),
        ROW(DNS, "a.test", "*.test", REFUSES),
    };
    CHECK_ROWS(rows);
    struct row other_kind = ROW(DNS, "localhost", "*.test", IS_BESIDE);
    check_rows(&other_kind, 1);
}

Test(name_constraints, mail_host_covers_itself_or_names_below) {
    static const struct row rows[] = {
        ROW(EMAIL, "in.test", "a@in.test", COVERS),
        ROW(EMAIL, "IN.test", "a@in.TEST", COVERS),
        ROW(EMAIL, "in.test", "a@b.in.test", IS_BESIDE),
        ROW(EMAIL, "in.test", "a@out.test", IS_BESIDE),
        ROW(EMAIL, ".in.test", "a@b.in.test", COVERS),
        ROW(EMAIL, ".in.test", "a@in.test", IS_BESIDE),
        ROW(EMAIL, ".in.test", "a@xin.test", IS_BESIDE),
        ROW(EMAIL, "in.test", "in.test@out.test", IS_BESIDE),
        ROW(EMAIL, "in.test", "a@out.test@in.test", COVERS),
        ROW(EMAIL, "in.test", "\"b c\"@in.test", COVERS),
        ROW(EMAIL, "in.test", "in.test", REFUSES),
        ROW(EMAIL, "in.test", "@in.test", REFUSES),
        ROW(EMAIL, "in.test", "a@", REFUSES),
        ROW(EMAIL, "in.test", "a@in.test ", REFUSES),
        ROW(EMAIL, "in.test", "a@in.test.", REFUSES),
        ROW(EMAIL, "in.test", "a@*.in.test", REFUSES),
        ROW(EMAIL, "in.test", "a@[192.0.2.1]", REFUSES),
        ROW(EMAIL, "in.test", "a@evil.test\0.in.test", REFUSES),
        ROW(EMAIL, "in.test", "", REFUSES),
        ROW(EMAIL, "", "a@in.test", REFUSES),
        ROW(EMAIL, "in..test", "a@in.test", REFUSES),
    };
    CHECK_ROWS(rows);
}

Test(name_constraints, mailbox_covers_itself) {
    static const struct row rows[] = {
        ROW(EMAIL, "a@in.test", "a@in.test", COVERS),
        ROW(EMAIL, "a@IN.test", "a@in.TEST", COVERS),
        ROW(EMAIL, "a@in.test", "A@in.test", IS_BESIDE),
        ROW(EMAIL, "a@in.test", "b@in.test", IS_BESIDE),
        ROW(EMAIL, "a@in.test", "aa@in.test", IS_BESIDE),
        ROW(EMAIL, "aa@in.test", "a@in.test", IS_BESIDE),
        ROW(EMAIL, "a@in.test", "a@b.in.test", IS_BESIDE),
        ROW(EMAIL, "a@in.test", "\"a\"@in.test", REFUSES),
        ROW(EMAIL, "a@.in.test", "a@b.in.test", REFUSES),
        ROW(EMAIL, "a@", "a@in.test", REFUSES),
        ROW(EMAIL, "b@in..test", "a@in.test", REFUSES),
    };
    CHECK_ROWS(rows);
}

Test(name_constraints, uri_is_held_by_its_host) {
    static const struct row rows[] = {
        ROW(URI, "in.test", "https://in.test", COVERS),
        ROW(URI, "IN.test", "https://in.TEST/a", COVERS),
        ROW(URI, "in.test", "https://in.test:443/", COVERS),
        ROW(URI, "in.test", "https://in.test:", COVERS),
        ROW(URI, "in.test", "https://in.test?a@b", COVERS),
        ROW(URI, "in.test", "https://in.test#a@b", COVERS),
        ROW(URI, "in.test", "https://in.test?x.out.test/", COVERS),
        ROW(URI, "in.test", "https://b.in.test", IS_BESIDE),
        ROW(URI, "in.test", "https://out.test/in.test", IS_BESIDE),
        ROW(URI, "in.test", "https://out.test?.in.test", IS_BESIDE),
        ROW(URI, "in.test", "https://out.test#.in.test", IS_BESIDE),
        ROW(URI, ".in.test", "https://b.in.test", COVERS),
        ROW(URI, ".in.test", "https://in.test", IS_BESIDE),
        ROW(URI, ".in.test", "ldap://b.in.test/?a", COVERS),
        ROW(URI, ".in.test", "a://b1.in.test:1/", COVERS),
        ROW(URI, ".in.test", "a://b.in.test:9089", COVERS),
    };
    CHECK_ROWS(rows);
}

Test(name_constraints, uri_without_a_dns_name_is_refused) {
    static const struct row rows[] = {
        ROW(URI, "in.test", "", REFUSES),
        ROW(URI, "in.test", "in.test", REFUSES),
        ROW(URI, "in.test", "urn:in.test", REFUSES),
        ROW(URI, "in.test", "mailto:a@in.test", REFUSES),
        ROW(URI, "in.test", "://in.test", REFUSES),
        ROW(URI, "in.test", "//in.test", REFUSES),
        ROW(URI, "in.test", "a:/in.test", REFUSES),
        ROW(URI, "in.test", "a:", REFUSES),
        ROW(URI, "in.test", "a://", REFUSES),
        ROW(URI, "in.test", "a:///in.test", REFUSES),
        ROW(URI, "in.test", "a/b://in.test", REFUSES),
        ROW(URI, "in.test", "?a://in.test", REFUSES),
        ROW(URI, "in.test", "a#b://in.test", REFUSES),
        ROW(URI, "in.test", "https://user@in.test", REFUSES),
        ROW(URI, "in.test", "https://in.test:80@out.test", REFUSES),
        ROW(URI, "in.test", "https://out.test\\@in.test", REFUSES),
        ROW(URI, "in.test", "https://out.test\\.in.test", REFUSES),
        ROW(URI, "in.test", "https://in.test:80a", REFUSES),
        ROW(URI, "in.test", "https://in.test:80:80", REFUSES),
        ROW(URI, "in.test", "https://in.test.", REFUSES),
        ROW(URI, "in.test", "https://*.in.test", REFUSES),
        ROW(URI, "in.test", "https://i%6e.test", REFUSES),
        ROW(URI, "in.test", "https://in.test /", REFUSES),
        ROW(URI, "in.test", "https://[2001:db8::1]/", REFUSES),
        ROW(URI, "in.test", "https://[::1]:80/", REFUSES),
        ROW(URI, "in.test", "https://192.0.2.1/", REFUSES),
        ROW(URI, "in.test", "https://192.0.2.1:80/", REFUSES),
        ROW(URI, "in.test", "https://3221225985/", REFUSES),
        ROW(URI, "in.test", "https://a.9x/", REFUSES),
        ROW(URI, "in.test", "https://0xc0.0x0.0x2.0x1/", REFUSES),
        ROW(URI, "", "https://in.test", REFUSES),
        ROW(URI, ".", "https://in.test", REFUSES),
        ROW(URI, "https://in.test", "https://in.test", REFUSES),
    };
    CHECK_ROWS(rows);
}

/* The scheme ends with the text: bytes behind it in memory are not read. */
Test(name_constraints, uri_is_not_read_beyond_its_end) {
    struct fixture fixture = {.left = 0};
    constrain(&fixture, PERMITTED, NAME_URI, "in.test", 7);
    der_add_text(&fixture.names, NAME_URI, "in");
    memcpy(fixture.names.bytes + fixture.names.size, "x://in.test/", 12);
    cr_expect_not(holds(&fixture));
}
