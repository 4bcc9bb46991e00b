/* Building a path from the peer's certificate to a trusted one, and judging it. */
#include "backends/wolfssl/chain.h"

#include "backends/wolfssl/distinguished_name.h"
#include "backends/wolfssl/host.h"
#include "backends/wolfssl/name_constraints.h"
#include "backends/wolfssl/signature.h"

/* A path is at most all of the peer's and a root. How many are judged is limited, so that a peer
   cannot keep us busy with certificates that could all have issued each other. */
enum { PATH_MAX_LENGTH = CHAIN_PEER_MAX + 1, PATHS_MAX = 8, STEPS_MAX = 100 };

struct search {
    const struct chain_question *question;
    const struct certificate *path[PATH_MAX_LENGTH];
    size_t length;
    size_t deepest; /* the longest path seen, and what it ended with */
    const struct certificate *deepest_end;
    unsigned paths, steps;
    struct chain_answer first; /* what was wrong with the first whole path */
};

/* ---- judging a whole path: path[0] is the peer's, the last one is trusted ---- */

static bool may_be_authority(const struct search *search, size_t depth) {
    const struct certificate *certificate = search->path[depth];
    if (certificate->has_key_usage &&
        (certificate->key_usage & KEY_USAGE_CERTIFICATE_SIGNING) == 0) {
        return false;
    }
    if (certificate->has_basic_constraints) {
        return certificate->is_authority;
    }
    /* Old roots have no basic constraints: version 1, or the key usage says enough. */
    bool trusted = depth + 1 == search->length;
    return trusted &&
           (certificate->has_key_usage ||
            (certificate->first_version && name_same(&certificate->subject, &certificate->issuer)));
}

/* TLS 1.2 and 1.3 as spoken here authenticate by signatures only. */
static bool fits_purpose(const struct certificate *certificate, bool is_leaf, bool server) {
    if (certificate->has_purposes &&
        !(server ? certificate->for_servers : certificate->for_clients)) {
        return false;
    }
    return !is_leaf || !certificate->has_key_usage ||
           (certificate->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) != 0;
}

/* What the extensions of one certificate say to its place in the path. */
static portls_verify_reason check_place(const struct search *search, size_t depth,
                                        size_t authorities_below) {
    const struct certificate *certificate = search->path[depth];
    if (certificate->unknown_critical || (depth > 0 && !may_be_authority(search, depth))) {
        return PORTLS_VERIFY_CONSTRAINT;
    }
    if (!fits_purpose(certificate, depth == 0, search->question->peer_is_server)) {
        return PORTLS_VERIFY_PURPOSE;
    }
    if (depth > 0 && certificate->has_path_length && authorities_below > certificate->path_length) {
        return PORTLS_VERIFY_CONSTRAINT;
    }
    return PORTLS_VERIFY_OK;
}

static portls_verify_reason check_places(const struct search *search, size_t *depth) {
    size_t authorities = 0;
    for (*depth = 0; *depth < search->length; ++*depth) {
        portls_verify_reason reason = check_place(search, *depth, authorities);
        if (reason != PORTLS_VERIFY_OK) {
            return reason;
        }
        const struct certificate *certificate = search->path[*depth];
        /* Those that were issued to themselves, for a new key, do not count. */
        if (*depth > 0 && !name_same(&certificate->subject, &certificate->issuer)) {
            authorities++;
        }
    }
    return PORTLS_VERIFY_OK;
}

static portls_verify_reason check_host(const struct search *search) {
    const struct chain_question *question = search->question;
    return question->host == NULL ||
                   host_matches(search->path[0], question->host, question->host_is_address)
               ? PORTLS_VERIFY_OK
               : PORTLS_VERIFY_NAME;
}

/* Keys that are long enough, signatures, and times, from the trusted end to the peer's. What the
   trusted certificate was signed with does not matter. */
static portls_verify_reason check_signatures(const struct search *search, size_t *depth) {
    for (size_t left = search->length; left > 0; left--) {
        *depth = left - 1;
        const struct certificate *certificate = search->path[*depth];
        bool no_memory = false;
        if (!signature_key_is_strong(certificate, &no_memory) ||
            (left < search->length && !signature_is_good(certificate, search->path[left]))) {
            return PORTLS_VERIFY_SIGNATURE;
        }
        if (search->question->now < certificate->not_before) {
            return PORTLS_VERIFY_NOT_YET_VALID;
        }
        if (search->question->now > certificate->not_after) {
            return PORTLS_VERIFY_EXPIRED;
        }
    }
    *depth = 0;
    return PORTLS_VERIFY_OK;
}

/* Every authority's constraints against all that are below it. */
static portls_verify_reason check_names(const struct search *search, size_t *depth) {
    for (size_t above = 1; above < search->length; above++) {
        for (*depth = 0; *depth < above; ++*depth) {
            const struct certificate *below = search->path[*depth];
            bool exempt = *depth > 0 && name_same(&below->subject, &below->issuer);
            if (!exempt && !name_constraints_hold(search->path[above], below, *depth == 0)) {
                return PORTLS_VERIFY_CONSTRAINT;
            }
        }
    }
    *depth = 0;
    return PORTLS_VERIFY_OK;
}

static bool judge(struct search *search) {
    size_t depth = 0;
    portls_verify_reason reason = check_places(search, &depth);
    if (reason == PORTLS_VERIFY_OK) {
        depth = 0;
        reason = check_host(search);
    }
    if (reason == PORTLS_VERIFY_OK) {
        reason = check_signatures(search, &depth);
    }
    if (reason == PORTLS_VERIFY_OK) {
        reason = check_names(search, &depth);
    }
    if (search->paths++ == 0) {
        search->first = (struct chain_answer){reason, depth, search->path[depth]};
    }
    return reason == PORTLS_VERIFY_OK;
}

/* ---- building paths ---- */

static bool is_on_path(const struct search *search, const struct certificate *certificate) {
    for (size_t i = 0; i < search->length; i++) {
        if (asn1_same(&search->path[i]->whole, &certificate->whole)) {
            return true;
        }
    }
    return false;
}

static bool is_trusted(const struct search *search, const struct certificate *certificate) {
    for (size_t i = 0; i < search->question->roots_count; i++) {
        if (asn1_same(&search->question->roots[i].whole, &certificate->whole)) {
            return true;
        }
    }
    return false;
}

static bool is_exhausted(struct search *search) {
    return search->paths >= PATHS_MAX || ++search->steps > STEPS_MAX;
}

/* Whether the path as it is ends, with one more root, in a path that holds. */
static bool try_roots(struct search *search) {
    const struct chain_question *question = search->question;
    const struct certificate *last = search->path[search->length - 1];
    for (size_t i = 0; i < question->roots_count && search->paths < PATHS_MAX; i++) {
        const struct certificate *root = &question->roots[i];
        if (certificate_may_issue(root, last)) {
            search->path[search->length++] = root;
            if (judge(search)) {
                return true;
            }
            search->length--;
        }
    }
    return false;
}

/* Nobody but itself has issued it, whatever certificates of the same name there are. */
static bool is_self_signed(const struct certificate *certificate) {
    return certificate_may_issue(certificate, certificate) &&
           signature_is_good(certificate, certificate);
}

/* Goes on from the end of the path. It calls itself at most PATH_MAX_LENGTH deep. */
static bool search_on(struct search *search) { /* NOLINT(misc-no-recursion) */
    const struct chain_question *question = search->question;
    const struct certificate *last = search->path[search->length - 1];
    if (search->length > search->deepest) {
        search->deepest = search->length;
        search->deepest_end = last;
    }
    if (is_trusted(search, last)) {
        return judge(search);
    }
    if (search->length == PATH_MAX_LENGTH || is_self_signed(last)) {
        return false;
    }
    if (try_roots(search)) {
        return true;
    }
    for (size_t i = 1; i < question->peers_count; i++) {
        const struct certificate *issuer = &question->peers[i];
        if (is_exhausted(search)) {
            return false;
        }
        if (certificate_may_issue(issuer, last) && !is_on_path(search, issuer)) {
            search->path[search->length++] = issuer;
            if (search_on(search)) {
                return true;
            }
            search->length--;
        }
    }
    return false;
}

struct chain_answer chain_verify(const struct chain_question *question) {
    struct search search = {.question = question, .path = {question->peers}, .length = 1};
    if (search_on(&search)) {
        return (struct chain_answer){PORTLS_VERIFY_OK, 0, question->peers};
    }
    if (search.paths > 0) {
        return search.first;
    }
    return (struct chain_answer){is_self_signed(question->peers) ? PORTLS_VERIFY_SELF_SIGNED
                                                                 : PORTLS_VERIFY_UNTRUSTED,
                                 search.deepest - 1, search.deepest_end};
}
