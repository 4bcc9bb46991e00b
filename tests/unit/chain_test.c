/* The search for a path, with a fake check of signatures that counts. */
#include "core/x509/chain.h"

#include "chain_certificates.h"

enum { NOW = 1600000000 }; /* within the dates of der_certificate */

static size_t signatures;     /* checked */
static size_t keys;           /* asked about */
static char unusable_key;     /* its letter */
static bool weak_key_is_used; /* a signature by a key of the wrong size was checked */

static char letter_of(const struct certificate *certificate) {
    return (char)certificate->key_bits.bytes[0];
}

static bool fake_signature_is_valid(const struct certificate *certificate,
                                    const struct certificate *issuer) {
    signatures++;
    weak_key_is_used = weak_key_is_used || issuer->key_bits.size != 32;
    return certificate->signature.bytes[0] == (uint8_t)letter_of(issuer);
}

static bool fake_key_is_usable(const struct certificate *certificate) {
    keys++;
    return letter_of(certificate) != unusable_key;
}

/* What a peer sends and what is trusted. */
struct chain_case {
    struct certificate peers[CHAIN_PEER_MAX], roots[32];
    struct chain_request request;
    struct chain_result result;
};

static void begin(struct chain_case *test) {
    memset(test, 0, sizeof *test);
    test->request = (struct chain_request){
        .peers = test->peers,
        .roots = test->roots,
        .peer_is_server = true,
        .now = NOW,
        .signature_is_valid = fake_signature_is_valid,
        .key_is_usable = fake_key_is_usable,
    };
}

static void send_parts(struct chain_case *test, const struct der_certificate *parts) {
    test->peers[test->request.peers_count++] = chain_certificate_of(parts);
}

static void send_one(struct chain_case *test, struct chain_part part) {
    test->peers[test->request.peers_count++] = chain_certificate(&part);
}

static void trust(struct chain_case *test, struct chain_part part) {
    test->roots[test->request.roots_count++] = chain_certificate(&part);
}

static void verify(struct chain_case *test) {
    static struct chain_search search;
    memset(&search, 0xff, sizeof search);
    signatures = 0;
    keys = 0;
    weak_key_is_used = false;
    test->result = chain_verify(&test->request, &search);
}

/* Verifies, and expects the reason and the certificate that is blamed. */
static void expect(struct chain_case *test, portls_verify_reason reason, size_t depth,
                   const struct certificate *culprit, const char *what) {
    verify(test);
    cr_assert_eq(test->result.reason, reason, "%s: %s", what,
                 portls_verify_reason_text(test->result.reason));
    cr_assert_eq(test->result.depth, depth, "%s: certificate %zu", what, test->result.depth);
    cr_assert_eq(test->result.culprit, culprit, "%s", what);
}

#define LEAF(signer)                                                                               \
    (struct chain_part) {                                                                          \
        "leaf", "ca", 'l', signer, NOTHING, 1                                                      \
    }
#define CA(signer)                                                                                 \
    (struct chain_part) {                                                                          \
        "ca", "root", 'c', signer, CA_TRUE, 2                                                      \
    }
#define ROOT                                                                                       \
    (struct chain_part) {                                                                          \
        "root", "root", 'r', 'r', CA_TRUE, 3                                                       \
    }
#define ROOT_LEAF                                                                                  \
    (struct chain_part) {                                                                          \
        "leaf", "root", 'l', 'r', NOTHING, 1                                                       \
    }

static void begin_with(struct chain_case *test, struct chain_part first, struct chain_part second,
                       struct chain_part root) {
    begin(test);
    send_one(test, first);
    send_one(test, second);
    trust(test, root);
}

/* ---- paths ---- */

Test(chain, certificates_beyond_the_count_are_not_used) {
    static struct chain_case test;
    begin_with(&test, LEAF('c'), CA('r'), ROOT);
    test.request.roots_count = 0;
    expect(&test, PORTLS_VERIFY_UNTRUSTED, 1, &test.peers[1], "a root");
    begin_with(&test, LEAF('c'), CA('r'), ROOT);
    test.request.peers_count = 1;
    expect(&test, PORTLS_VERIFY_UNTRUSTED, 0, test.peers, "an authority of the peer");
    begin(&test);
    send_one(&test, LEAF('c'));
    trust(&test, LEAF('c'));
    test.request.roots_count = 0;
    expect(&test, PORTLS_VERIFY_UNTRUSTED, 0, test.peers, "a trusted leaf");
}

Test(chain, paths_that_are_found) {
    static struct chain_case test;
    begin_with(&test, LEAF('c'), CA('r'), ROOT);
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "a whole chain");
    cr_assert_eq(signatures, 2);
    cr_assert_eq(keys, 3);

    send_one(&test, ROOT);
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "with the root");
    send_one(&test, CA('r'));
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "with one twice");

    begin(&test);
    send_one(&test, LEAF('c'));
    trust(&test, CA('r'));
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "a trusted authority");
    cr_assert_eq(signatures, 1);

    begin(&test);
    send_one(&test, LEAF('x'));
    trust(&test, LEAF('x'));
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "a trusted leaf");
    cr_assert_eq(signatures, 0);

    begin(&test);
    send_one(&test, (struct chain_part){"ca", "ca", 'l', 'c', NOTHING, 1});
    trust(&test, (struct chain_part){"ca", "ca", 'c', 'c', CA_TRUE, 2});
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "a leaf with its issuer's name");

    begin(&test);
    send_one(&test, LEAF('d'));
    send_one(&test, (struct chain_part){"ca", "ca", 'd', 'c', CA_TRUE, 5});
    send_one(&test, CA('r'));
    trust(&test, ROOT);
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "a self-issued authority");
}

Test(chain, the_order_behind_the_leaf_does_not_matter) {
    static struct chain_case test;
    struct chain_part other = {"other", "nobody", 'o', 'n', CA_TRUE, 6};
    begin(&test);
    send_one(&test, (struct chain_part){"leaf", "2", 'l', '2', NOTHING, 1});
    send_one(&test, CA('r'));
    send_one(&test, other);
    send_one(&test, (struct chain_part){"1", "ca", '1', 'c', CA_TRUE, 2});
    send_one(&test, (struct chain_part){"2", "1", '2', '1', CA_TRUE, 2});
    trust(&test, (struct chain_part){"else", "else", 'e', 'e', CA_TRUE, 3});
    trust(&test, ROOT);
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "the wrong order");
    cr_assert_eq(signatures, 4);
}

/* The longest chain, in the best and in the worst order. */
Test(chain, twenty_certificates_are_a_path_in_any_order) {
    static const char *names[] = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9", "10",
                                  "11", "12", "13", "14", "15", "16", "17", "18", "19", "20"};
    static struct chain_case test;
    for (int backwards = 0; backwards < 2; backwards++) {
        begin(&test);
        for (int i = 0; i < CHAIN_PEER_MAX; i++) {
            int at = i == 0 || backwards == 0 ? i : CHAIN_PEER_MAX - i;
            send_one(&test, (struct chain_part){names[at], names[at + 1], (char)('a' + at),
                                                (char)('b' + at), CA_TRUE, 1});
        }
        trust(&test, (struct chain_part){names[CHAIN_PEER_MAX], names[CHAIN_PEER_MAX],
                                         'a' + CHAIN_PEER_MAX, 'x', CA_TRUE, 1});
        expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "20");
        cr_assert_eq(signatures, CHAIN_PEER_MAX);
        cr_assert_eq(keys, CHAIN_PATH_MAX);
    }
}

/* Another certificate of the same name, which leads nowhere, is not the end of the search. */
Test(chain, another_issuer_of_the_name_is_tried) {
    static struct chain_case test;
    begin(&test);
    send_one(&test, LEAF('c'));
    send_one(&test, (struct chain_part){"ca", "gone", 'c', 'g', CA_TRUE, 7});
    send_one(&test, (struct chain_part){"ca", "root", 'd', 'r', CA_TRUE, 8});
    send_one(&test, CA('r'));
    trust(&test, ROOT);
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "the third");
    test.request.peers_count = 3;
    expect(&test, PORTLS_VERIFY_SIGNATURE, 0, test.peers, "without the right one");

    begin(&test);
    send_one(&test, ROOT_LEAF);
    trust(&test, (struct chain_part){"root", "root", 'q', 'q', CA_TRUE, 8});
    trust(&test, ROOT);
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "the second root");
}

/* ---- what is refused ---- */

Test(chain, no_path) {
    static struct chain_case test;
    begin_with(&test, LEAF('c'), CA('r'),
               (struct chain_part){"other", "other", 'o', 'o', CA_TRUE, 1});
    expect(&test, PORTLS_VERIFY_UNTRUSTED, 1, &test.peers[1], "another root");
    cr_assert_eq(signatures, 0);
    test.request.roots_count = 0;
    expect(&test, PORTLS_VERIFY_UNTRUSTED, 1, &test.peers[1], "no roots");
    send_one(&test, ROOT);
    expect(&test, PORTLS_VERIFY_UNTRUSTED, 2, &test.peers[2], "a root that is not trusted");
    cr_assert_eq(signatures, 1);

    begin(&test);
    send_one(&test, ROOT);
    expect(&test, PORTLS_VERIFY_SELF_SIGNED, 0, test.peers, "self-signed");
    cr_assert_eq(signatures, 1);
    trust(&test, (struct chain_part){"root", "root", 'q', 'q', CA_TRUE, 8});
    expect(&test, PORTLS_VERIFY_SELF_SIGNED, 0, test.peers, "and a root of its name");
    cr_assert_eq(signatures, 1);

    begin(&test);
    send_one(&test, (struct chain_part){"root", "root", 'r', 'q', CA_TRUE, 3});
    expect(&test, PORTLS_VERIFY_UNTRUSTED, 0, test.peers, "self-issued");
    trust(&test, (struct chain_part){"root", "root", 's', 's', CA_TRUE, 8});
    expect(&test, PORTLS_VERIFY_SIGNATURE, 0, test.peers, "signed by another of its name");
}

/* The result is that of the first complete path. */
Test(chain, the_first_path_is_blamed) {
    static struct chain_case test;
    begin_with(&test, LEAF('c'), CA('x'), ROOT);
    expect(&test, PORTLS_VERIFY_SIGNATURE, 1, &test.peers[1], "the authority's signature");
    trust(&test, (struct chain_part){"root", "root", 'x', 'x', CA_FALSE, 9});
    expect(&test, PORTLS_VERIFY_SIGNATURE, 1, &test.peers[1], "the first root");
    test.roots[0] = test.roots[1];
    test.request.roots_count = 1;
    expect(&test, PORTLS_VERIFY_CONSTRAINT, 2, &test.roots[0], "the second root");
}

Test(chain, signatures_and_keys) {
    static struct chain_case test;
    begin_with(&test, LEAF('x'), CA('r'), ROOT);
    expect(&test, PORTLS_VERIFY_SIGNATURE, 0, &test.peers[0], "the leaf's signature");
    cr_assert_eq(signatures, 2);
    begin_with(&test, LEAF('c'), CA('r'),
               (struct chain_part){"root", "root", 'r', 'x', CA_TRUE, 3});
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "the root's signature does not count");
    static const char letters[] = {'l', 'c', 'r'};
    for (size_t i = 0; i < 3; i++) {
        unusable_key = letters[i];
        verify(&test);
        cr_assert_eq(test.result.reason, PORTLS_VERIFY_SIGNATURE);
        cr_assert_eq(test.result.depth, i);
    }
    unusable_key = 0;
}

static struct der_certificate dated(struct chain_part part, const char *from, const char *until) {
    struct der_certificate parts = chain_parts(&part);
    parts.validity = SEQUENCE(der_element(0x17, (struct backend_blob){(const uint8_t *)from, 13}),
                              der_element(0x17, (struct backend_blob){(const uint8_t *)until, 13}));
    return parts;
}

/* The first and the last second count as valid. */
Test(chain, dates_at_their_ends) {
    static struct chain_case test;
    struct der_certificate leaf = dated(LEAF('c'), "200101000000Z", "200102000000Z");
    struct der_certificate ca = dated(CA('r'), "200101000000Z", "200102000000Z");
    struct der_certificate root = dated(ROOT, "200101000000Z", "200102000000Z");
    const int64_t first = 1577836800;
    const int64_t last = first + 86400;
    begin(&test);
    send_parts(&test, &leaf);
    send_parts(&test, &ca);
    test.roots[test.request.roots_count++] = chain_certificate_of(&root);
    test.request.now = first;
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "the first second");
    test.request.now = last;
    expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "the last second");
    test.request.now = first - 1;
    expect(&test, PORTLS_VERIFY_NOT_YET_VALID, 2, test.roots, "before");
    test.request.now = last + 1;
    expect(&test, PORTLS_VERIFY_EXPIRED, 2, test.roots, "behind");

    begin_with(&test, LEAF('c'), CA('r'), ROOT);
    test.peers[0] = chain_certificate_of(&leaf);
    expect(&test, PORTLS_VERIFY_EXPIRED, 0, test.peers, "the leaf");
    test.peers[1] = chain_certificate_of(&ca);
    expect(&test, PORTLS_VERIFY_EXPIRED, 1, &test.peers[1], "the authority above is blamed");

    begin(&test);
    send_parts(&test, &leaf);
    test.roots[test.request.roots_count++] = test.peers[0];
    expect(&test, PORTLS_VERIFY_EXPIRED, 0, test.peers, "a trusted leaf");
}

/* Extensions, then the host, then strength, then signatures and dates, then names. */
Test(chain, order_of_checks) {
    static struct chain_case test;
    struct der_certificate leaf = dated(LEAF('x'), "200101000000Z", "200102000000Z");
    struct chain_part inside = {"ca", "root", 'c', 'r', JOIN(CA_TRUE, PERMITTED), 2};
    leaf.extensions = JOIN(FOR_CLIENTS, FOR_HOST("out.test"));
    leaf.key = weak_key();
    begin(&test);
    send_parts(&test, &leaf);
    send_one(&test, inside);
    trust(&test, ROOT);
    test.request.host = "host.test";
    expect(&test, PORTLS_VERIFY_PURPOSE, 0, test.peers, "extensions");
    leaf.extensions = FOR_HOST("out.test");
    test.peers[0] = chain_certificate_of(&leaf);
    expect(&test, PORTLS_VERIFY_NAME, 0, test.peers, "the host");
    test.request.host = "out.test";
    expect(&test, PORTLS_VERIFY_SIGNATURE, 0, test.peers, "strength");
    cr_assert_eq(signatures, 0);
    leaf.key = chain_key('l');
    test.peers[0] = chain_certificate_of(&leaf);
    expect(&test, PORTLS_VERIFY_SIGNATURE, 0, test.peers, "the signature");
    cr_assert_eq(signatures, 2);
    leaf.signature = chain_signature('c');
    test.peers[0] = chain_certificate_of(&leaf);
    expect(&test, PORTLS_VERIFY_EXPIRED, 0, test.peers, "dates");
    test.request.now = 1577836800;
    expect(&test, PORTLS_VERIFY_CONSTRAINT, 0, test.peers, "names");
    test.request.host = "192.0.2.1";
    test.request.host_is_address = true;
    expect(&test, PORTLS_VERIFY_NAME, 0, test.peers, "an address");
}

/* ---- limits ---- */

/* Sends as many authorities as can be of one name, which could all have issued each other and the
   leaf. Each is signed by `signer`. */
static void send_crowd(struct chain_case *test, size_t count, char key, char signer) {
    for (size_t i = 0; i < count; i++) {
        send_one(test, (struct chain_part){"ca", "ca", key, signer, CA_TRUE, (uint8_t)(i + 10)});
    }
}

static void expect_limit(struct chain_case *test, const char *what) {
    expect(test, PORTLS_VERIFY_LIMIT, 0, test->peers, what);
    cr_assert_leq(signatures, test->request.peers_count * 5, "%s: %zu signatures", what,
                  signatures);
}

Test(chain, crowds_end_at_a_limit) {
    static struct chain_case test;
    begin(&test);
    send_one(&test, LEAF('c'));
    send_crowd(&test, CHAIN_PEER_MAX - 1, 'c', 'x');
    expect_limit(&test, "no root");
    cr_assert_eq(signatures, CHAIN_PEER_MAX - 1); /* each once with its own key */

    trust(&test, (struct chain_part){"ca", "ca", 'r', 'r', CA_TRUE, 1});
    expect_limit(&test, "a root of their name");
    cr_assert_leq(signatures, CHAIN_PEER_MAX + 8);

    begin(&test);
    send_one(&test, LEAF('c'));
    send_crowd(&test, CHAIN_PEER_MAX - 1, 'c', 'c');
    trust(&test, (struct chain_part){"ca", "ca", 'r', 'r', CA_TRUE, 1});
    expect(&test, PORTLS_VERIFY_SIGNATURE, 0, test.peers, "all self-signed");
    cr_assert_leq(signatures, CHAIN_PEER_MAX * 2);
}

/* Every signature is right, but not the leaf's, so that each path fails with its last check. */
Test(chain, signatures_are_at_most_five_times_those_of_an_honest_chain) {
    static struct chain_case test;
    for (size_t count = 1; count < CHAIN_PEER_MAX; count++) {
        begin(&test);
        send_one(&test, LEAF('x'));
        send_crowd(&test, count, 'c', 'r');
        for (size_t i = 0; i < count; i++) { /* in a row: 'c' signs 'c' */
            test.peers[i + 1].signature.bytes = (const uint8_t *)"c";
        }
        trust(&test, (struct chain_part){"ca", "ca", 'c', 'c', CA_TRUE, 1});
        for (size_t i = 0; i < count; i++) {
            trust(&test, (struct chain_part){"ca", "ca", 'c', 'c', CA_TRUE, (uint8_t)(i + 50)});
        }
        verify(&test);
        cr_assert_neq(test.result.reason, PORTLS_VERIFY_OK);
        cr_assert_leq(signatures, (count + 1) * 5, "%zu: %zu", count, signatures);
    }
}

/* A leaf of many trusted roots of one name and no key identifier: 5 are tried. */
Test(chain, roots_of_one_name_are_limited) {
    static struct chain_case test;
    for (size_t before = 0; before < 12; before++) {
        begin(&test);
        send_one(&test, ROOT_LEAF);
        for (size_t i = 0; i < before; i++) {
            trust(&test, (struct chain_part){"root", "root", 'q', 'q', CA_TRUE, (uint8_t)i});
        }
        trust(&test, ROOT);
        if (before < 5) {
            expect(&test, PORTLS_VERIFY_OK, 0, test.peers, "few");
            cr_assert_eq(signatures, before + 1);
        } else {
            expect_limit(&test, "many");
            cr_assert_eq(signatures, 5);
        }
    }
    /* Roots that fail before their signature is asked for count too. */
    begin(&test);
    send_one(&test, ROOT_LEAF);
    for (uint8_t i = 0; i < 8; i++) {
        trust(&test, (struct chain_part){"root", "root", 'r', 'q', CA_FALSE, i});
    }
    expect(&test, PORTLS_VERIFY_CONSTRAINT, 1, test.roots, "8");
    trust(&test, ROOT);
    expect_limit(&test, "9");
    cr_assert_eq(signatures, 0);
}

/* The key of a self-issued certificate that is weak, or costs much, makes no signature. */
Test(chain, weak_keys_check_no_signature) {
    static struct chain_case test;
    struct chain_part part = {"ca", "ca", 'c', 'c', CA_TRUE, 2};
    struct der_certificate weak = chain_parts(&part);
    weak.key = weak_key();
    begin(&test);
    send_one(&test, LEAF('c'));
    send_parts(&test, &weak);
    expect(&test, PORTLS_VERIFY_UNTRUSTED, 1, &test.peers[1], "self-issued");
    cr_assert_eq(signatures, 0);
    test.roots[test.request.roots_count++] = test.peers[1];
    expect(&test, PORTLS_VERIFY_SIGNATURE, 1, &test.roots[0], "trusted");
    cr_assert_eq(signatures, 0);
    begin(&test);
    send_parts(&test, &weak);
    expect(&test, PORTLS_VERIFY_SELF_SIGNED, 0, test.peers, "alone");
    cr_assert_eq(signatures, 0);
    cr_assert_not(weak_key_is_used);
}
