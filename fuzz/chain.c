/*
 * Fuzzes path validation with a made-up signature check. The input is a sequence of DER elements:
 * an OCTET STRING of choices (see take_choices), a UTF8String with the host, and certificates.
 * A chain that is accepted ends in a root, satisfies what can be checked of it one by one, and is
 * one that OpenSSL accepts too; signature checks are bounded, whatever the certificates are.
 */
#include "core/x509/chain.h"

#include "core/x509/host_match.h"
#include "core/x509/hostname.h"
#include "core/x509/strength.h"
#include "fuzz/fuzz.h"
#include "fuzz/openssl_verdict.h"

/* Of these certificates a root takes one; the library checks five signatures for each that the peer
   sent, at most. */
enum { CERTIFICATES_MAX = CHAIN_PEER_MAX + 4, SIGNATURES_PER_PEER = 5 };

/* The choices of an input. */
struct choices {
    bool peer_is_server, check_host, host_is_address;
    size_t roots;      /* how many certificates, from the end, are trusted */
    uint64_t bad;      /* signatures that are bad: one bit per pair, modulo 64 */
    int64_t now;       /* seconds since 1970 */
    size_t signatures; /* checked so far */
};

static struct choices choices;
static struct certificate certificates[CERTIFICATES_MAX];

static size_t index_of(const struct certificate *certificate) {
    FUZZ_CHECK(certificate >= certificates && certificate < certificates + CERTIFICATES_MAX);
    return (size_t)(certificate - certificates);
}

static bool signature_is_valid(const struct certificate *certificate,
                               const struct certificate *issuer) {
    choices.signatures++;
    return (choices.bad >> (index_of(certificate) * 7 + index_of(issuer)) % 64 & 1) == 0 &&
           openssl_may_sign(certificate, issuer);
}

static bool key_is_usable(const struct certificate *certificate) {
    (void)index_of(certificate);
    return openssl_knows_key(certificate);
}

/* A byte of flags, the number of roots, the bad signatures and the time in units of 2^16 seconds.
 */
static void take_choices(struct backend_blob input) {
    uint8_t flags = fuzz_byte(&input);
    choices = (struct choices){.peer_is_server = (flags & 1) == 0,
                               .check_host = (flags & 2) != 0,
                               .host_is_address = (flags & 4) != 0,
                               .roots = fuzz_byte(&input) % CERTIFICATES_MAX};
    for (int i = 0; i < 8; i++) {
        choices.bad = choices.bad << 8 | fuzz_byte(&input);
    }
    for (int i = 0; i < 2; i++) {
        choices.now = choices.now << 8 | fuzz_byte(&input);
    }
    choices.now <<= 16;
}

/* Reads what remains as certificates, and skips malformed ones, as backends do with roots. */
static size_t take_certificates(struct backend_blob *input) {
    size_t count = 0;
    struct backend_blob content;
    struct backend_blob whole;
    while (count < CERTIFICATES_MAX && der_next(input, NULL, &content, &whole)) {
        count += certificate_parse(&whole, &certificates[count]);
    }
    return count;
}

static struct chain_result verify(const struct chain_request *request) {
    static struct chain_search search;
    choices.signatures = 0;
    memset(&search, 0xa5, sizeof search);
    return chain_verify(request, &search);
}

/* Checks of an accepted chain what does not depend on the path. */
static void check_accepted(const struct chain_request *request) {
    const struct certificate *leaf = request->peers;
    FUZZ_CHECK(request->roots_count > 0);
    FUZZ_CHECK(request->now >= leaf->not_before && request->now <= leaf->not_after);
    FUZZ_CHECK(!leaf->unknown_critical);
    FUZZ_CHECK(strength_of_key(leaf));
    FUZZ_CHECK(!leaf->has_purposes ||
               (request->peer_is_server ? leaf->for_servers : leaf->for_clients));
    FUZZ_CHECK(request->host == NULL ||
               host_matches(leaf, request->host, request->host_is_address));
    if (!openssl_is_asked()) {
        return;
    }
    FUZZ_CHECK(request->host == NULL ||
               openssl_matches_host(&leaf->der, request->host, request->host_is_address));
    const char *reason = "";
    bool openssl_accepts = openssl_verifies_chain(request, &reason);
    if (!openssl_accepts) {
        fprintf(stderr, "OpenSSL refuses: %s\n", reason);
    }
    FUZZ_CHECK(openssl_accepts);
}

static void check_result(const struct chain_request *request, const struct chain_result *result) {
    FUZZ_CHECK(choices.signatures <= request->peers_count * SIGNATURES_PER_PEER);
    (void)index_of(result->culprit);
    FUZZ_CHECK(result->depth < CHAIN_PATH_MAX);
    if (result->reason == PORTLS_VERIFY_OK) {
        FUZZ_CHECK(result->depth == 0 && result->culprit == request->peers);
        check_accepted(request);
    }
}

/* Without the host, with no root, and at another time. */
static void check_variants(const struct chain_request *request, portls_verify_reason reason) {
    struct chain_request other = *request;
    other.host = NULL;
    FUZZ_CHECK(reason != PORTLS_VERIFY_OK || verify(&other).reason == PORTLS_VERIFY_OK);
    other.roots_count = 0;
    FUZZ_CHECK(verify(&other).reason != PORTLS_VERIFY_OK);
    other = *request;
    other.now = request->peers->not_after + 1;
    FUZZ_CHECK(verify(&other).reason != PORTLS_VERIFY_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct backend_blob input = {bytes, size};
    struct backend_blob content;
    char host[HOSTNAME_MAX + 1];
    if (!der_take(&input, DER_OCTET_STRING, &content)) {
        return 0;
    }
    take_choices(content);
    if (!der_take(&input, DER_UTF8_STRING, &content) || !fuzz_text(&content, host, sizeof host)) {
        return 0;
    }
    size_t count = take_certificates(&input);
    size_t roots = choices.roots < count ? choices.roots : count - 1;
    size_t peers = count - roots < CHAIN_PEER_MAX ? count - roots : CHAIN_PEER_MAX;
    if (count == 0) {
        return 0;
    }
    struct chain_request request = {
        .peers = certificates,
        .peers_count = peers,
        .roots = certificates + (count - roots),
        .roots_count = roots,
        .peer_is_server = choices.peer_is_server,
        .host = choices.check_host ? host : NULL,
        .host_is_address = choices.host_is_address,
        .now = choices.now,
        .signature_is_valid = signature_is_valid,
        .key_is_usable = key_is_usable,
    };
    struct chain_result result = verify(&request);
    check_result(&request, &result);
    check_variants(&request, result.reason);
    return 0;
}
