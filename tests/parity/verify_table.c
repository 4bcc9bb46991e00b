/*
 * The rows of the verification table. certs/README.md says what each certificate is.
 *
 * Where libraries differ by themselves, the stricter of what RFC 5280, RFC 9525 and RFC 8446 allow
 * is expected, and these are decisions of this project:
 *  - What is loaded as a root is trusted as it is, also an intermediate or a leaf, but its dates,
 *    purpose and constraints count as everybody's.
 *  - The order of a peer's chain behind its own certificate, and certificates in it that have
 *    nothing to do with it, do not matter (RFC 8446, 4.4.2).
 *  - anyExtendedKeyUsage is not serverAuth or clientAuth (RFC 5280, 4.2.1.12 leaves it open).
 *  - A host is matched with subject alternative names only, never with a common name (RFC 9525),
 *    and a label with an underscore with no wildcard.
 *  - Whoever authenticates by a signature needs digitalSignature, if it has a key usage at all
 *    (RFC 8446, 4.4.2.2), and an issuer needs basicConstraints and keyCertSign.
 */
#include "verify_table.h"

#define TRUSTED "root"

#define SERVER(what, peer, outcome)                                                                \
    {                                                                                              \
        what, CLIENT_VERIFIES, LOOKS_AT_CHAIN, peer, {TRUSTED, NULL}, NULL,                        \
            PORTLS_VERIFY_##outcome, false                                                         \
    }
#define SERVER_ROOTS(what, peer, first, second, outcome)                                           \
    {                                                                                              \
        what, CLIENT_VERIFIES, LOOKS_AT_CHAIN, peer, {first, second}, NULL,                        \
            PORTLS_VERIFY_##outcome, false                                                         \
    }
#define NAME(what, peer, host, outcome)                                                            \
    {                                                                                              \
        what, CLIENT_VERIFIES, LOOKS_AT_NAME, peer, {TRUSTED, NULL}, host,                         \
            PORTLS_VERIFY_##outcome, false                                                         \
    }
#define CLIENT(what, peer, outcome)                                                                \
    {                                                                                              \
        what, SERVER_VERIFIES, LOOKS_AT_CHAIN, peer, {TRUSTED, NULL}, NULL,                        \
            PORTLS_VERIFY_##outcome, false                                                         \
    }
#define CLIENT_ROOTS(what, peer, first, second, outcome)                                           \
    {                                                                                              \
        what, SERVER_VERIFIES, LOOKS_AT_CHAIN, peer, {first, second}, NULL,                        \
            PORTLS_VERIFY_##outcome, false                                                         \
    }
#define UNFIT(what, peer)                                                                          \
    {                                                                                              \
        what, CLIENT_VERIFIES, LOOKS_AT_CHAIN, peer, {TRUSTED, NULL}, NULL, PORTLS_VERIFY_PURPOSE, \
            true                                                                                   \
    }
#define UNSEEN(what, verifier, peer)                                                               \
    {                                                                                              \
        what, verifier, LOOKS_AT_NOTHING, peer, {TRUSTED, NULL}, "localhost", PORTLS_VERIFY_OK,    \
            false                                                                                  \
    }

const struct verify_row verify_table[] = {
    /* ---- does the chain lead to a root ---- */
    SERVER("a whole chain", "verify/good", OK),
    SERVER("a whole chain, RSA", "server-rsa2048", OK),
    SERVER("a whole chain, P-384", "server-p384", OK),
    SERVER("a whole chain of two intermediates", "verify/deep", OK),
    SERVER("no intermediate", "verify/alone", UNTRUSTED),
    SERVER("one of two intermediates is missing", "verify/gap", UNTRUSTED),
    SERVER("the intermediates in the wrong order", "verify/wrong-order", OK),
    SERVER("the root is sent too", "verify/with-root", OK),
    SERVER("certificates that have nothing to do with it at the end", "verify/with-extra", OK),
    SERVER("one that has nothing to do with it in between", "verify/extra-between", OK),
    SERVER("certificates sent twice", "verify/repeated", OK),
    SERVER("a cross certificate behind the right one", "verify/cross-behind", OK),
    SERVER("only a cross certificate of another root", "verify/cross", UNTRUSTED),
    SERVER_ROOTS("a cross certificate of the root", "verify/cross", "second-root", NULL, OK),
    SERVER_ROOTS("the wrong root", "verify/good", "second-root", NULL, UNTRUSTED),
    SERVER_ROOTS("two roots in a file, the first", "verify/good", "roots", NULL, OK),
    SERVER_ROOTS("two roots in a file, the second", "second-root-leaf", "roots", NULL, OK),
    SERVER_ROOTS("two roots in two calls", "verify/good", "second-root", TRUSTED, OK),
    SERVER_ROOTS("the intermediate as a root, sent", "verify/good", "verify/authority", NULL, OK),
    SERVER_ROOTS("the intermediate as a root, not sent", "verify/alone", "verify/authority", NULL,
                 OK),
    SERVER_ROOTS("another intermediate as a root", "verify/good", "verify/sub", NULL, UNTRUSTED),
    SERVER_ROOTS("the leaf as a root", "verify/alone", "verify/good", NULL, OK),
    SERVER_ROOTS("another leaf as a root", "verify/alone", "verify/for-all", NULL, UNTRUSTED),
    SERVER("self-signed", "verify/self-signed", SELF_SIGNED),
    SERVER_ROOTS("self-signed and trusted", "verify/self-signed", "verify/self-signed", NULL, OK),
    SERVER_ROOTS("self-signed, another is trusted", "verify/self-signed", "self-signed", NULL,
                 SELF_SIGNED),
    SERVER_ROOTS("a self-signed authority that is trusted", "verify/self-authority",
                 "verify/self-authority", NULL, OK),
    SERVER("a false root of the same name", "verify/of-false-root", UNTRUSTED),
    SERVER("a false root of the same name, sent", "verify/false-root-sent", UNTRUSTED),
    SERVER_ROOTS("no roots", "verify/good", NULL, NULL, NO_ROOTS),
    SERVER_ROOTS("no roots and self-signed", "verify/self-signed", NULL, NULL, NO_ROOTS),

    /* ---- dates ---- */
    SERVER("an expired leaf", "verify/ended-leaf", EXPIRED),
    SERVER("an expired intermediate", "verify/of-ended", EXPIRED),
    SERVER_ROOTS("an expired root", "verify/of-ended-root", "verify/ended-root", NULL, EXPIRED),
    SERVER("a leaf that is not valid yet", "verify/future-leaf", NOT_YET_VALID),
    SERVER("an intermediate that is not valid yet", "verify/of-future", NOT_YET_VALID),
    SERVER_ROOTS("a root that is not valid yet", "verify/of-future-root", "verify/future-root",
                 NULL, NOT_YET_VALID),

    /* ---- purpose ---- */
    SERVER("for servers", "verify/for-servers", OK),
    SERVER("for all purposes", "verify/for-all", OK),
    SERVER("for clients", "verify/for-clients", PURPOSE),
    SERVER("for any purpose", "verify/for-any", PURPOSE),
    SERVER("for mail", "verify/for-mail", PURPOSE),
    SERVER("an intermediate for servers", "verify/of-servers-only", OK),
    SERVER("an intermediate for clients", "verify/of-clients-only", PURPOSE),
    SERVER_ROOTS("a root for clients", "verify/of-clients-only-root", "verify/clients-only-root",
                 NULL, PURPOSE),
    SERVER("no key usage", "verify/no-usage", OK),
    UNFIT("key usage neither for signing nor for keys", "verify/only-nonRepudiation"),
    UNFIT("key usage for encipherment only", "verify/only-keyEncipherment"),
    UNFIT("key usage for agreement only", "verify/only-keyAgreement"),

    /* ---- who may issue ---- */
    SERVER("issued by a leaf", "leaf-of-leaf", CONSTRAINT),
    SERVER("issued by CA:FALSE with keyCertSign", "verify/under-no-authority", CONSTRAINT),
    SERVER("an issuer without basicConstraints", "verify/under-no-basic", CONSTRAINT),
    SERVER("an issuer without basicConstraints and usage", "verify/under-bare", CONSTRAINT),
    SERVER("an issuer without keyCertSign", "verify/under-no-signing", CONSTRAINT),
    SERVER_ROOTS("a root without keyCertSign", "verify/under-no-signing-root",
                 "verify/no-signing-root", NULL, CONSTRAINT),
    SERVER("the path is as long as it may be", "verify/long-enough", OK),
    SERVER("the path is too long", "verify/too-long", CONSTRAINT),
    SERVER_ROOTS("the root's path is as long as it may be", "verify/under-short-root",
                 "verify/short-root", NULL, OK),
    SERVER_ROOTS("the root's path is too long", "verify/too-long-for-root", "verify/short-root",
                 NULL, CONSTRAINT),
    SERVER("an unknown extension", "verify/unknown-harmless", OK),
    SERVER("an unknown critical extension", "verify/unknown-critical", CONSTRAINT),
    SERVER("an unknown critical extension of the issuer", "verify/under-unknown", CONSTRAINT),

    /* ---- signatures ---- */
    SERVER("a bad signature", "verify/broken-leaf", SIGNATURE),
    SERVER("a bad signature, RSA", "bad-signature", SIGNATURE),
    SERVER("a bad signature of the intermediate", "verify/of-broken", SIGNATURE),

    /* ---- name constraints, also where the name is not asked for ---- */
    SERVER("a DNS name below the permitted one", "verify/in-below", OK),
    SERVER("the permitted DNS name", "verify/in-itself", OK),
    SERVER("a wildcard below the permitted one", "verify/in-wildcard", OK),
    SERVER("a DNS name that is not permitted", "verify/in-out", CONSTRAINT),
    SERVER("one DNS name that is permitted and one that is not", "verify/in-both", CONSTRAINT),
    SERVER("a DNS name that only ends like the permitted one", "verify/in-alike", CONSTRAINT),
    SERVER("a permitted address", "verify/in-address", OK),
    SERVER("an address that is not permitted", "verify/in-other-address", CONSTRAINT),
    SERVER("a common name that is permitted", "verify/in-common-name", OK),
    SERVER("a common name that is not permitted", "verify/in-common-name-out", CONSTRAINT),
    NAME("a common name that is not permitted, asked for", "verify/in-common-name-out",
         "out.portls.test", NAME),
    SERVER("a common name that is not permitted beside a DNS name that is", "verify/in-beside", OK),
    SERVER("permitted two levels up", "verify/in-deep", OK),
    SERVER("not permitted two levels up", "verify/in-deep-out", CONSTRAINT),
    SERVER_ROOTS("permitted by the root", "verify/in-root", "verify/inside-root", NULL, OK),
    SERVER_ROOTS("not permitted by the root", "verify/in-root-out", "verify/inside-root", NULL,
                 CONSTRAINT),
    SERVER("names that are not excluded", "verify/out-allowed", OK),
    SERVER("a DNS name below the excluded one", "verify/out-below", CONSTRAINT),
    SERVER("the excluded DNS name", "verify/out-itself", CONSTRAINT),
    SERVER("the excluded DNS name in capitals", "verify/out-capitals", CONSTRAINT),
    SERVER("a DNS name that only ends like the excluded one", "verify/out-alike", OK),
    SERVER("the same, of an excluded subject", "verify/out-alike-subject", CONSTRAINT),
    SERVER("an excluded IPv4 address", "verify/out-address", CONSTRAINT),
    SERVER("an excluded IPv6 address", "verify/out-address-6", CONSTRAINT),
    SERVER("a permitted mail address", "verify/mail-in", OK),
    SERVER("a mail address that is not permitted", "verify/mail-out", CONSTRAINT),
    SERVER("a permitted subject", "verify/of-subject-in", OK),
    SERVER("a subject that is not permitted", "verify/of-subject-out", CONSTRAINT),
    SERVER("an excluded subject", "verify/of-subject-excluded", CONSTRAINT),

    /* ---- DNS names ---- */
    NAME("the DNS name", "verify/names", "first.portls.test", OK),
    NAME("the DNS name asked for in capitals", "verify/names", "FIRST.Portls.TEST", OK),
    NAME("the DNS name certified in capitals", "verify/names", "upper.portls.test", OK),
    NAME("the DNS name with a dot behind it", "verify/names", "first.portls.test.", OK),
    NAME("a DNS name certified with a dot behind it", "verify/dot", "dot.portls.test", NAME),
    NAME("an xn-- name", "verify/names", "xn--bcher-kva.portls.test", OK),
    NAME("another name", "verify/names", "second.portls.test", NAME),
    NAME("the domain above the name", "verify/names", "portls.test", NAME),
    NAME("a name below the name", "verify/names", "a.first.portls.test", NAME),
    NAME("a name that ends like the name", "verify/names", "xfirst.portls.test", NAME),
    NAME("a name that begins like the name", "verify/names", "first.portls.test.evil.test", NAME),

    /* ---- wildcards ---- */
    NAME("*.x covers a label", "verify/names", "a.wild.portls.test", OK),
    NAME("*.x covers a label in capitals", "verify/names", "A.WILD.portls.test", OK),
    NAME("*.x covers an xn-- label", "verify/names", "xn--bcher-kva.wild.portls.test", OK),
    NAME("*.x does not cover a label with an underscore", "verify/names", "a_b.wild.portls.test",
         NAME),
    NAME("*.x does not cover an underscore", "verify/names", "_.wild.portls.test", NAME),
    NAME("*.x covers a label that begins with a hyphen", "verify/names", "-a.wild.portls.test", OK),
    NAME("*.x does not cover x", "verify/names", "wild.portls.test", NAME),
    NAME("*.x does not cover two labels", "verify/names", "a.b.wild.portls.test", NAME),
    NAME("*.x does not cover xx", "verify/names", "a.xwild.portls.test", NAME),
    NAME("a.*.x is no wildcard", "verify/odd", "a.b.odd.portls.test", NAME),
    NAME("w*.x is no wildcard", "verify/odd", "www.odd.portls.test", NAME),
    NAME("*w.x is no wildcard", "verify/odd", "aw.odd.portls.test", NAME),
    NAME("w*w.x is no wildcard", "verify/odd", "wow.odd.portls.test", NAME),
    NAME("xn--*.x is no wildcard", "verify/odd", "xn--bcher-kva.odd.portls.test", NAME),
    NAME("**.x is no wildcard", "verify/odd", "a.odd.portls.test", NAME),
    NAME("*.*.x is no wildcard", "verify/odd", "b.c.odd.portls.test", NAME),
    NAME("x.* is no wildcard", "verify/odd", "odd.portls.net", NAME),
    NAME("*.test does not cover a whole top-level domain", "verify/odd", "portls.test", NAME),
    NAME("* is no wildcard", "verify/odd", "localhost", NAME),
    NAME(".x covers nothing", "verify/odd", "z.odd.portls.test", NAME),

    /* ---- addresses ---- */
    NAME("an IPv4 address", "verify/names", "192.0.2.1", OK),
    NAME("another IPv4 address", "verify/names", "192.0.2.2", NAME),
    NAME("an IPv6 address", "verify/names", "2001:db8::1", OK),
    NAME("an IPv6 address written otherwise", "verify/names", "2001:DB8:0:0::0:1", OK),
    NAME("another IPv6 address", "verify/names", "2001:db8::2", NAME),
    NAME("an IPv4 address mapped to IPv6", "verify/names", "::ffff:192.0.2.1", NAME),
    NAME("an IPv4 address as a DNS name", "verify/address-as-dns", "192.0.2.1", NAME),
    NAME("an IPv6 address as a DNS name", "verify/address-as-dns-6", "2001:db8::1", NAME),
    NAME("an IPv4 address under a wildcard", "verify/address-as-wildcard", "192.0.2.1", NAME),
    NAME("an address as the common name", "verify/common-name-address", "192.0.2.1", NAME),
    NAME("a DNS name where there are addresses only", "ip-only", "localhost", NAME),

    /* ---- the common name ---- */
    NAME("the common name", "verify/common-name", "localhost", NAME),
    NAME("the common name in capitals", "verify/common-name", "LOCALHOST", NAME),
    NAME("another common name", "verify/common-name", "first.portls.test", NAME),
    NAME("a common name with a wildcard", "verify/common-name-wildcard", "a.cn.portls.test", NAME),
    NAME("a common name with a wildcard does not cover its domain", "verify/common-name-wildcard",
         "cn.portls.test", NAME),
    NAME("the common name beside a DNS name", "verify/common-name-dns", "localhost", NAME),
    NAME("the common name beside an address", "verify/common-name-ip", "localhost", NAME),
    NAME("the common name beside a mail address", "verify/common-name-mail", "localhost", NAME),
    NAME("the common name beside a URI", "verify/common-name-uri", "localhost", NAME),
    NAME("the common name beside no names", "verify/common-name-empty", "localhost", NAME),
    NAME("a zero byte in a DNS name", "verify/nul-name", "localhost", NAME),
    NAME("a zero byte in the common name", "verify/common-name-nul", "localhost", NAME),

    /* ---- the name and the chain ---- */
    NAME("the right name and an expired leaf", "verify/ended-leaf", "localhost", EXPIRED),
    NAME("the right name and no way to the root", "verify/alone", "localhost", UNTRUSTED),
    {"another name that is not looked at",
     CLIENT_VERIFIES,
     LOOKS_AT_CHAIN,
     "verify/names",
     {TRUSTED, NULL},
     "second.portls.test",
     PORTLS_VERIFY_OK,
     false},
    {"the leaf as a root, for another name",
     CLIENT_VERIFIES,
     LOOKS_AT_NAME,
     "verify/alone",
     {"verify/good", NULL},
     "first.portls.test",
     PORTLS_VERIFY_NAME,
     false},

    /* ---- a client that does not look ---- */
    UNSEEN("no intermediate, not looked at", CLIENT_VERIFIES, "verify/alone"),
    UNSEEN("self-signed, not looked at", CLIENT_VERIFIES, "verify/self-signed"),
    UNSEEN("expired, not looked at", CLIENT_VERIFIES, "verify/ended-leaf"),
    UNSEEN("not valid yet, not looked at", CLIENT_VERIFIES, "verify/future-leaf"),
    UNSEEN("for clients, not looked at", CLIENT_VERIFIES, "verify/for-clients"),
    UNSEEN("issued by a leaf, not looked at", CLIENT_VERIFIES, "leaf-of-leaf"),
    UNSEEN("a path too long, not looked at", CLIENT_VERIFIES, "verify/too-long"),
    UNSEEN("a name not permitted, not looked at", CLIENT_VERIFIES, "verify/in-out"),
    UNSEEN("an unknown critical extension, not looked at", CLIENT_VERIFIES,
           "verify/unknown-critical"),
    UNSEEN("a bad signature, not looked at", CLIENT_VERIFIES, "verify/broken-leaf"),
    UNSEEN("another name, not looked at", CLIENT_VERIFIES, "verify/names"),
    UNSEEN("a zero byte in a name, not looked at", CLIENT_VERIFIES, "verify/nul-name"),

    /* ---- clients ---- */
    CLIENT("client: none", NULL, NO_CERTIFICATE),
    CLIENT("client: a whole chain", "verify/for-clients", OK),
    CLIENT("client: a whole chain, RSA", "client-rsa2048", OK),
    CLIENT("client: a whole chain of two intermediates", "verify/deep", OK),
    CLIENT("client: the intermediates in the wrong order", "verify/wrong-order", OK),
    CLIENT("client: no intermediate", "verify/alone", UNTRUSTED),
    CLIENT_ROOTS("client: the wrong root", "verify/good", "second-root", NULL, UNTRUSTED),
    CLIENT_ROOTS("client: two roots in two calls", "client-second-root", TRUSTED, "second-root",
                 OK),
    CLIENT_ROOTS("client: the intermediate as a root", "verify/alone", "verify/authority", NULL,
                 OK),
    CLIENT_ROOTS("client: the leaf as a root", "verify/alone", "verify/good", NULL, OK),
    CLIENT("client: self-signed", "verify/self-signed", SELF_SIGNED),
    CLIENT_ROOTS("client: self-signed and trusted", "verify/self-signed", "verify/self-signed",
                 NULL, OK),
    CLIENT("client: a false root of the same name", "verify/false-root-sent", UNTRUSTED),
    CLIENT_ROOTS("client: no roots", "verify/good", NULL, NULL, NO_ROOTS),
    CLIENT_ROOTS("client: no roots and no certificate", NULL, NULL, NULL, NO_ROOTS),
    CLIENT("client: expired", "verify/ended-leaf", EXPIRED),
    CLIENT("client: an expired intermediate", "verify/of-ended", EXPIRED),
    CLIENT("client: not valid yet", "verify/future-leaf", NOT_YET_VALID),
    CLIENT("client: for all purposes", "verify/for-all", OK),
    CLIENT("client: for servers", "verify/for-servers", PURPOSE),
    CLIENT("client: for any purpose", "verify/for-any", PURPOSE),
    CLIENT("client: an intermediate for clients", "verify/of-clients-only", OK),
    CLIENT("client: an intermediate for servers", "verify/of-servers-only", PURPOSE),
    CLIENT("client: key usage for encipherment only", "verify/only-keyEncipherment", PURPOSE),
    CLIENT("client: key usage for agreement only", "verify/only-keyAgreement", PURPOSE),
    CLIENT("client: issued by CA:FALSE", "verify/under-no-authority", CONSTRAINT),
    CLIENT("client: an issuer without basicConstraints", "verify/under-no-basic", CONSTRAINT),
    CLIENT("client: an issuer without keyCertSign", "verify/under-no-signing", CONSTRAINT),
    CLIENT("client: the path is too long", "verify/too-long", CONSTRAINT),
    CLIENT("client: an unknown critical extension", "verify/unknown-critical", CONSTRAINT),
    CLIENT("client: a name that is not permitted", "verify/in-out", CONSTRAINT),
    CLIENT("client: an excluded subject", "verify/of-subject-excluded", CONSTRAINT),
    CLIENT("client: a bad signature", "verify/broken-leaf", SIGNATURE),
    CLIENT("client: a bad signature of the intermediate", "verify/of-broken", SIGNATURE),
    UNSEEN("client: none, not asked for", SERVER_VERIFIES, NULL),
    UNSEEN("client: expired, not asked for", SERVER_VERIFIES, "verify/ended-leaf"),
    UNSEEN("client: self-signed, not asked for", SERVER_VERIFIES, "verify/self-signed"),
};

const size_t verify_table_size = sizeof verify_table / sizeof verify_table[0];

/* The first that fits counts. */
const struct verify_exception verify_exceptions[] = {
    {"LibreSSL", "a false root of the same name, sent", PORTLS_VERIFY_SIGNATURE, false, PORTLS_OK},
    {"LibreSSL", "client: a false root of the same name", PORTLS_VERIFY_SIGNATURE, false,
     PORTLS_OK},
    {"LibreSSL", "issued by a leaf", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"LibreSSL", "an issuer without keyCertSign", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"LibreSSL", "a root without keyCertSign", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"LibreSSL", "client: an issuer without keyCertSign", PORTLS_VERIFY_UNTRUSTED, false,
     PORTLS_OK},
    {"libtls of LibreSSL", "key usage neither for signing nor for keys", PORTLS_VERIFY_PURPOSE,
     true, PORTLS_HANDSHAKE},
    {"libtls of LibreSSL", "key usage for encipherment only", PORTLS_VERIFY_PURPOSE, true,
     PORTLS_HANDSHAKE},
    {"libtls of LibreSSL", "key usage for agreement only", PORTLS_VERIFY_PURPOSE, true,
     PORTLS_HANDSHAKE},
    {"LibreSSL", "*.x does not cover a label with an underscore", PORTLS_VERIFY_NAME, false,
     PORTLS_HANDSHAKE},
    {"LibreSSL", "*.x does not cover an underscore", PORTLS_VERIFY_NAME, false, PORTLS_HANDSHAKE},
    {"LibreSSL", "*.x covers a label that begins with a hyphen", PORTLS_VERIFY_NAME, false,
     PORTLS_HANDSHAKE},
    {"libtls of LibreSSL", "a DNS name certified with a dot behind it", PORTLS_VERIFY_CONSTRAINT,
     false, PORTLS_OK},
    {"libtls of LibreSSL", "a.*.x is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "w*.x is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "*w.x is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "w*w.x is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "xn--*.x is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "**.x is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "*.*.x is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "x.* is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "*.test does not cover a whole top-level domain",
     PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "* is no wildcard", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", ".x covers nothing", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "an IPv6 address as a DNS name", PORTLS_VERIFY_CONSTRAINT, false,
     PORTLS_OK},
    {"libtls of LibreSSL", "a zero byte in a DNS name", PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"libtls of LibreSSL", "self-signed", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"libtls of LibreSSL", "self-signed and trusted", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"libtls of LibreSSL", "self-signed, another is trusted", PORTLS_VERIFY_UNTRUSTED, false,
     PORTLS_OK},
    {"libtls of LibreSSL", "client: self-signed", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"libtls of LibreSSL", "client: self-signed and trusted", PORTLS_VERIFY_UNTRUSTED, false,
     PORTLS_OK},
    {"libtls of LibreSSL", "an issuer without basicConstraints", PORTLS_VERIFY_CONSTRAINT, true,
     PORTLS_OK},
    {"libtls of LibreSSL", "client: an issuer without basicConstraints", PORTLS_VERIFY_CONSTRAINT,
     true, PORTLS_OK},
    {"libtls of LibreSSL", "the root's path is too long", PORTLS_VERIFY_CONSTRAINT, true,
     PORTLS_OK},
    {"libtls of LibreSSL", "a zero byte in the common name", PORTLS_VERIFY_NAME, true,
     PORTLS_PROTOCOL},
    {"libtls", "the leaf as a root", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"libtls", "the leaf as a root, for another name", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"libtls", "client: the leaf as a root", PORTLS_VERIFY_UNTRUSTED, false, PORTLS_OK},
    {"libtls", "a common name that is not permitted, asked for", PORTLS_VERIFY_CONSTRAINT, false,
     PORTLS_OK},
    {"libtls", "a root for clients", PORTLS_VERIFY_PURPOSE, true, PORTLS_OK},
    {"libtls", "key usage for encipherment only", PORTLS_VERIFY_PURPOSE, true, PORTLS_OK},
    {"libtls", "key usage for agreement only", PORTLS_VERIFY_PURPOSE, true, PORTLS_OK},
    {"libtls", "client: key usage for agreement only", PORTLS_VERIFY_PURPOSE, true, PORTLS_OK},
    {"libtls", NULL, PORTLS_VERIFY_NAME, true, PORTLS_OK},
    {"LibreSSL", "a common name that is not permitted beside a DNS name that is",
     PORTLS_VERIFY_CONSTRAINT, false, PORTLS_OK},
    {"wolfSSL 5.5.4 with its OpenSSL layer", "an unknown critical extension, not looked at",
     PORTLS_VERIFY_CONSTRAINT, true, PORTLS_OK},
    {"wolfSSL 5.5.4 with its OpenSSL layer", "an unknown critical extension",
     PORTLS_VERIFY_CONSTRAINT, true, PORTLS_OK},
    {"wolfSSL 5.5.4 with its OpenSSL layer", "client: an unknown critical extension",
     PORTLS_VERIFY_CONSTRAINT, true, PORTLS_OK},
    {"wolfSSL 5.5.4 with its OpenSSL layer", "the common name beside no names", PORTLS_VERIFY_NAME,
     true, PORTLS_OK},
};

const size_t verify_exceptions_size = sizeof verify_exceptions / sizeof verify_exceptions[0];
