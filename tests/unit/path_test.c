/* The rules of a complete path, without a search and without signatures. */
#include "core/x509/path.h"

#include "chain_certificates.h"

/* A path of up to three certificates, from the leaf to the trusted one. */
struct path_row {
    const char *what;
    struct der_certificate parts[4];
    size_t count;
    bool for_client; /* the peer is a client */
    portls_verify_reason reason;
    size_t depth;
};

static struct der_certificate leaf(struct backend_blob extensions) {
    struct chain_part part = {"leaf", "ca", 'l', 'c', extensions, 1};
    return chain_parts(&part);
}

static struct der_certificate authority(struct backend_blob extensions) {
    struct chain_part part = {"ca", "root", 'c', 'r', extensions, 2};
    return chain_parts(&part);
}

static struct der_certificate self_issued(struct backend_blob extensions) {
    struct chain_part part = {"ca", "ca", 'd', 'c', extensions, 3};
    return chain_parts(&part);
}

static struct der_certificate root(struct backend_blob extensions) {
    struct chain_part part = {"root", "root", 'r', 'r', extensions, 4};
    return chain_parts(&part);
}

static struct der_certificate version_1(struct der_certificate parts, struct backend_blob issuer) {
    parts.version = NOTHING;
    parts.issuer = issuer;
    return parts;
}

static struct der_certificate weak(struct der_certificate parts) {
    parts.key = weak_key();
    return parts;
}

static struct der_certificate weakly_signed(struct der_certificate parts) {
    parts.inner_algorithm = parts.outer_algorithm =
        BLOB("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\x00");
    return parts;
}

static void check(const struct path_row *row) {
    struct backend_blob ders[4];
    size_t depth = 99;
    for (size_t i = 0; i < row->count; i++) {
        ders[i] = der_write(&row->parts[i]);
    }
    portls_verify_reason reason = path_check_accepted(ders, row->count, !row->for_client, &depth);
    cr_assert_eq(reason, row->reason, "%s: %s", row->what, portls_verify_reason_text(reason));
    cr_assert_eq(depth, row->depth, "%s: certificate %zu", row->what, depth);
}

static void check_all(const struct path_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        check(&rows[i]);
    }
}

#define ROW(what, reason, depth, count, ...)                                                       \
    { what, {__VA_ARGS__}, count, false, PORTLS_VERIFY_##reason, depth }
#define CLIENT_ROW(what, reason, depth, count, ...)                                                \
    { what, {__VA_ARGS__}, count, true, PORTLS_VERIFY_##reason, depth }
#define CHECK(rows) check_all((rows), sizeof(rows) / sizeof *(rows))

Test(path, authorities) {
    const struct path_row rows[] = {
        ROW("a right one", OK, 0, 3, leaf(NOTHING), authority(CA_TRUE), root(CA_TRUE)),
        ROW("a trusted leaf", OK, 0, 1, leaf(CA_FALSE)),
        ROW("a trusted authority", OK, 0, 2, leaf(NOTHING), authority(CA_TRUE)),
        ROW("no basic constraints", CONSTRAINT, 1, 3, leaf(NOTHING), authority(NOTHING),
            root(CA_TRUE)),
        ROW("no basic constraints but a usage", CONSTRAINT, 1, 3, leaf(NOTHING),
            authority(USAGE_ISSUING), root(CA_TRUE)),
        ROW("no basic constraints but a type", CONSTRAINT, 1, 3, leaf(NOTHING),
            authority(NETSCAPE("\x04")), root(CA_TRUE)),
        ROW("no authority", CONSTRAINT, 1, 3, leaf(NOTHING), authority(CA_FALSE), root(CA_TRUE)),
        ROW("no authority, trusted", CONSTRAINT, 1, 2, leaf(NOTHING), authority(CA_FALSE)),
        ROW("no authority but a usage", CONSTRAINT, 1, 2, leaf(NOTHING),
            authority(JOIN(CA_FALSE, USAGE_ISSUING))),
        ROW("a usage", OK, 0, 2, leaf(NOTHING), authority(JOIN(CA_TRUE, USAGE_ISSUING))),
        ROW("another usage", CONSTRAINT, 1, 2, leaf(NOTHING),
            authority(JOIN(CA_TRUE, USAGE_REVOKING))),
        ROW("another usage of a root", CONSTRAINT, 1, 2, leaf(NOTHING), root(USAGE_REVOKING)),
        ROW("a root with a usage alone", OK, 0, 2, leaf(NOTHING), root(USAGE_ISSUING)),
        ROW("a root with a type alone", OK, 0, 2, leaf(NOTHING), root(NETSCAPE("\x04"))),
        ROW("a root for mail alone", CONSTRAINT, 1, 2, leaf(NOTHING), root(NETSCAPE("\x02"))),
        ROW("a root with nothing", CONSTRAINT, 1, 2, leaf(NOTHING), root(NOTHING)),
        ROW("a root of version 1", OK, 0, 2, leaf(NOTHING),
            version_1(root(NOTHING), der_name("root"))),
        ROW("a trusted authority of version 1", CONSTRAINT, 1, 2, leaf(NOTHING),
            version_1(root(NOTHING), der_name("other"))),
        ROW("an authority of version 1", CONSTRAINT, 1, 3, leaf(NOTHING),
            version_1(authority(NOTHING), der_name("ca")), root(CA_TRUE)),
    };
    CHECK(rows);
}

Test(path, lengths) {
    const struct path_row rows[] = {
        ROW("none allowed, none there", OK, 0, 2, leaf(NOTHING), root(PATH_LENGTH_0)),
        ROW("none allowed, one there", CONSTRAINT, 2, 3, leaf(NOTHING), authority(CA_TRUE),
            root(PATH_LENGTH_0)),
        ROW("one allowed, one there", OK, 0, 3, leaf(NOTHING), authority(CA_TRUE),
            root(PATH_LENGTH_1)),
        ROW("one allowed, two there", CONSTRAINT, 3, 4, leaf(NOTHING), authority(CA_TRUE),
            authority(CA_TRUE), root(PATH_LENGTH_1)),
        ROW("one allowed, one there and a self-issued one", OK, 0, 4, leaf(NOTHING),
            self_issued(CA_TRUE), authority(CA_TRUE), root(PATH_LENGTH_1)),
        ROW("none allowed, a self-issued one there", OK, 0, 3, leaf(NOTHING), self_issued(CA_TRUE),
            root(PATH_LENGTH_0)),
        ROW("a leaf's own does not count", OK, 0, 1, leaf(PATH_LENGTH_0)),
        ROW("of an authority below", CONSTRAINT, 2, 4, leaf(NOTHING), authority(CA_TRUE),
            authority(PATH_LENGTH_0), root(CA_TRUE)),
    };
    CHECK(rows);
}

Test(path, purposes) {
    const struct path_row rows[] = {
        ROW("for servers", OK, 0, 2, leaf(FOR_SERVERS), root(JOIN(CA_TRUE, FOR_SERVERS))),
        ROW("for clients", PURPOSE, 0, 2, leaf(FOR_CLIENTS), root(CA_TRUE)),
        ROW("for others", PURPOSE, 0, 2, leaf(FOR_OTHERS), root(CA_TRUE)),
        ROW("an authority for clients", PURPOSE, 1, 3, leaf(NOTHING),
            authority(JOIN(CA_TRUE, FOR_CLIENTS)), root(CA_TRUE)),
        ROW("a root for clients", PURPOSE, 1, 2, leaf(NOTHING), root(JOIN(CA_TRUE, FOR_CLIENTS))),
        CLIENT_ROW("client: for clients", OK, 0, 2, leaf(FOR_CLIENTS),
                   root(JOIN(CA_TRUE, FOR_CLIENTS))),
        CLIENT_ROW("client: for servers", PURPOSE, 0, 2, leaf(FOR_SERVERS), root(CA_TRUE)),
        CLIENT_ROW("client: a root for servers", PURPOSE, 1, 2, leaf(NOTHING),
                   root(JOIN(CA_TRUE, FOR_SERVERS))),
        ROW("a usage for signatures", OK, 0, 2, leaf(USAGE_SIGNATURE), root(CA_TRUE)),
        ROW("a usage for issuing", PURPOSE, 0, 2, leaf(USAGE_ISSUING), root(CA_TRUE)),
        ROW("an authority's usage needs no signatures", OK, 0, 2, leaf(USAGE_SIGNATURE),
            root(JOIN(CA_TRUE, USAGE_ISSUING))),
        ROW("a type of servers", OK, 0, 2, leaf(NETSCAPE("\x40")), root(CA_TRUE)),
        ROW("a type of clients", PURPOSE, 0, 2, leaf(NETSCAPE("\xb7")), root(CA_TRUE)),
        ROW("no type", PURPOSE, 0, 2, leaf(NETSCAPE("\x00")), root(CA_TRUE)),
        ROW("an authority's type, beside basic constraints", OK, 0, 2, leaf(NOTHING),
            root(JOIN(CA_TRUE, NETSCAPE("\x02")))),
        CLIENT_ROW("client: a type of clients", OK, 0, 2, leaf(NETSCAPE("\x80")), root(CA_TRUE)),
        CLIENT_ROW("client: a type of servers", PURPOSE, 0, 2, leaf(NETSCAPE("\x7f")),
                   root(CA_TRUE)),
    };
    CHECK(rows);
}

Test(path, critical_extensions) {
    struct backend_blob unknown = der_standard_extension(0x63, true, NOTHING);
    const struct path_row rows[] = {
        ROW("of the leaf", CONSTRAINT, 0, 2, leaf(unknown), root(CA_TRUE)),
        ROW("of an authority", CONSTRAINT, 1, 3, leaf(NOTHING), authority(JOIN(CA_TRUE, unknown)),
            root(CA_TRUE)),
        ROW("of the root", CONSTRAINT, 1, 2, leaf(NOTHING), root(JOIN(CA_TRUE, unknown))),
        ROW("of a trusted leaf", CONSTRAINT, 0, 1, leaf(unknown)),
    };
    CHECK(rows);
}

Test(path, strength) {
    const struct path_row rows[] = {
        ROW("a weak leaf", SIGNATURE, 0, 2, weak(leaf(NOTHING)), root(CA_TRUE)),
        ROW("a weak authority", SIGNATURE, 1, 3, leaf(NOTHING), weak(authority(CA_TRUE)),
            root(CA_TRUE)),
        ROW("a weak root", SIGNATURE, 1, 2, leaf(NOTHING), weak(root(CA_TRUE))),
        ROW("a weak trusted leaf", SIGNATURE, 0, 1, weak(leaf(NOTHING))),
        ROW("the leaf is signed weakly", SIGNATURE, 0, 2, weakly_signed(leaf(NOTHING)),
            root(CA_TRUE)),
        ROW("an authority is signed weakly", SIGNATURE, 1, 3, leaf(NOTHING),
            weakly_signed(authority(CA_TRUE)), root(CA_TRUE)),
        ROW("a root is signed weakly", OK, 0, 2, leaf(NOTHING), weakly_signed(root(CA_TRUE))),
        ROW("a trusted leaf is signed weakly", OK, 0, 1, weakly_signed(leaf(NOTHING))),
        ROW("the purpose comes first", PURPOSE, 0, 2, leaf(FOR_CLIENTS), weak(root(CA_TRUE))),
    };
    CHECK(rows);
}

Test(path, name_constraints) {
    struct backend_blob in = FOR_HOST("a.in.test");
    struct backend_blob out = FOR_HOST("a.out.test");
    const struct path_row rows[] = {
        ROW("permitted", OK, 0, 2, leaf(in), root(JOIN(CA_TRUE, PERMITTED))),
        ROW("not permitted", CONSTRAINT, 0, 2, leaf(out), root(JOIN(CA_TRUE, PERMITTED))),
        ROW("not permitted by the one above", CONSTRAINT, 0, 3, leaf(out),
            authority(JOIN(CA_TRUE, PERMITTED)), root(CA_TRUE)),
        ROW("an authority's name that is not permitted", CONSTRAINT, 1, 3, leaf(in),
            authority(JOIN(CA_TRUE, out)), root(JOIN(CA_TRUE, PERMITTED))),
        ROW("a self-issued authority's name does not count", OK, 0, 3, leaf(in),
            self_issued(JOIN(CA_TRUE, out)), root(JOIN(CA_TRUE, PERMITTED))),
        ROW("one's own constraints do not count", OK, 0, 3, leaf(in),
            authority(JOIN(CA_TRUE, PERMITTED, out)), root(CA_TRUE)),
        ROW("a leaf's constraints do not count", OK, 0, 2, leaf(JOIN(PERMITTED, out)),
            root(CA_TRUE)),
        ROW("strength comes first", SIGNATURE, 0, 2, weak(leaf(out)),
            root(JOIN(CA_TRUE, PERMITTED))),
    };
    CHECK(rows);
    /* A leaf whose subject equals its issuer is no self-issued authority: its names count. */
    struct chain_part part = {"root", "root", 'l', 'r', out, 9};
    struct path_row same = ROW("a leaf of its issuer's name", CONSTRAINT, 0, 2, chain_parts(&part),
                               root(JOIN(CA_TRUE, PERMITTED)));
    check(&same);
    /* The common name of a leaf without alternative names counts, and of an authority does not. */
    struct chain_part named = {"a.out.test", "root", 'l', 'r', NOTHING, 9};
    struct chain_part named_ca = {"a.out.test", "root", 'c', 'r', CA_TRUE, 9};
    const struct path_row common[] = {
        ROW("a leaf's common name", CONSTRAINT, 0, 2, chain_parts(&named),
            root(JOIN(CA_TRUE, PERMITTED))),
        ROW("an authority's common name", OK, 0, 3, leaf(in), chain_parts(&named_ca),
            root(JOIN(CA_TRUE, PERMITTED))),
    };
    CHECK(common);
}

Test(path, malformed_and_too_many) {
    struct der_certificate cut = root(CA_TRUE);
    cut.behind_all = BLOB("\x00");
    const struct path_row rows[] = {
        ROW("a malformed leaf", MALFORMED, 0, 2, cut, root(CA_TRUE)),
        ROW("a malformed root", MALFORMED, 1, 2, leaf(NOTHING), cut),
    };
    CHECK(rows);
    struct der_certificate parts = authority(CA_TRUE);
    struct backend_blob ders[CHAIN_PATH_MAX + 1];
    size_t depth = 99;
    for (size_t i = 0; i < CHAIN_PATH_MAX + 1; i++) {
        ders[i] = der_write(&parts);
    }
    cr_assert_eq(path_check_accepted(ders, CHAIN_PATH_MAX, true, &depth), PORTLS_VERIFY_OK);
    cr_assert_eq(path_check_accepted(ders, CHAIN_PATH_MAX + 1, true, &depth), PORTLS_VERIFY_LIMIT);
    cr_assert_eq(depth, 0);
    cr_assert_eq(path_check_accepted(ders, 0, true, &depth), PORTLS_VERIFY_NO_CERTIFICATE);
}
