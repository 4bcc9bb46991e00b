/* Builds a path from the peer's certificate to a trusted one, and verifies it. */
#include "core/x509/chain.h"

#include "core/x509/host_match.h"
#include "core/x509/strength.h"

/*
 * A peer can send certificates that could all have issued each other. So a search ends after this
 * many complete paths, and this many signatures for each certificate that the peer sent; an honest
 * chain needs one. The steps are limited to twice what certificates in the worst order need.
 */
enum { PATHS_MAX = 8, SIGNATURES_PER_PEER = 5 };

/* Counts one more use of something that is limited. Returns false when there is no more of it. */
static bool spend(struct chain_search *search, size_t *used, size_t limit) {
    if (*used >= limit) {
        search->limited = true;
        return false;
    }
    ++*used;
    return true;
}

static bool signature_is_valid(struct chain_search *search, const struct certificate *certificate,
                               const struct certificate *issuer) {
    const struct chain_request *request = search->request;
    return spend(search, &search->signatures, request->peers_count * SIGNATURES_PER_PEER) &&
           request->signature_is_valid(certificate, issuer);
}

/* ---- verifying a complete path ---- */

static portls_verify_reason check_host(const struct chain_search *search) {
    const struct chain_request *request = search->request;
    return request->host == NULL || host_matches(search->path.certificates[0], request->host,
                                                 request->host_is_address)
               ? PORTLS_VERIFY_OK
               : PORTLS_VERIFY_NAME;
}

/* Checks keys, signatures and times, from the trusted end down. Ignores the signature of the
   trusted certificate. */
static portls_verify_reason check_signatures(struct chain_search *search, size_t *depth) {
    const struct chain_request *request = search->request;
    for (size_t left = search->path.length; left > 0; left--) {
        *depth = left - 1;
        const struct certificate *certificate = search->path.certificates[*depth];
        bool is_trusted = left == search->path.length;
        if (!request->key_is_usable(certificate) ||
            (!is_trusted &&
             !signature_is_valid(search, certificate, search->path.certificates[left]))) {
            return PORTLS_VERIFY_SIGNATURE;
        }
        if (request->now < certificate->not_before) {
            return PORTLS_VERIFY_NOT_YET_VALID;
        }
        if (request->now > certificate->not_after) {
            return PORTLS_VERIFY_EXPIRED;
        }
    }
    *depth = 0;
    return PORTLS_VERIFY_OK;
}

static bool check_path(struct chain_search *search) {
    const struct path *path = &search->path;
    size_t depth = 0;
    portls_verify_reason reason =
        path_check_extensions(path, search->request->peer_is_server, &depth);
    if (reason == PORTLS_VERIFY_OK) {
        reason = check_host(search);
    }
    if (reason == PORTLS_VERIFY_OK) {
        reason = path_check_strength(path, &depth);
    }
    if (reason == PORTLS_VERIFY_OK) {
        reason = check_signatures(search, &depth);
    }
    if (reason == PORTLS_VERIFY_OK) {
        reason = path_check_names(path, &search->names, &depth);
    }
    if (search->paths == 1) {
        search->first = (struct chain_result){reason, depth, path->certificates[depth]};
    }
    return reason == PORTLS_VERIFY_OK;
}

/* ---- building paths ---- */

static bool is_on_path(const struct chain_search *search, const struct certificate *certificate) {
    for (size_t i = 0; i < search->path.length; i++) {
        if (der_equal(&search->path.certificates[i]->der, &certificate->der)) {
            return true;
        }
    }
    return false;
}

static bool is_trusted(const struct chain_search *search, const struct certificate *certificate) {
    for (size_t i = 0; i < search->request->roots_count; i++) {
        if (der_equal(&search->request->roots[i].der, &certificate->der)) {
            return true;
        }
    }
    return false;
}

/* Returns whether the path plus one root is a valid path. */
static bool try_roots(struct chain_search *search) {
    const struct chain_request *request = search->request;
    const struct certificate *last = search->path.certificates[search->path.length - 1];
    for (size_t i = 0; i < request->roots_count; i++) {
        const struct certificate *root = &request->roots[i];
        if (certificate_may_issue(root, last)) {
            if (!spend(search, &search->paths, PATHS_MAX)) {
                return false;
            }
            search->path.certificates[search->path.length++] = root;
            if (check_path(search)) {
                return true;
            }
            search->path.length--;
        }
    }
    return false;
}

/*
 * Returns whether a certificate of the peer is signed with its own key, so that no other
 * certificate of the same name can be its issuer. Checks the signature once, and none by a weak
 * key, which may cost much and is refused in any path.
 */
static bool is_self_signed(struct chain_search *search, const struct certificate *certificate) {
    uint32_t bit = UINT32_C(1) << (certificate - search->request->peers);
    if ((search->judged & bit) == 0) {
        search->judged |= bit;
        if (certificate_may_issue(certificate, certificate) &&
            (!strength_of_key(certificate) ||
             signature_is_valid(search, certificate, certificate))) {
            search->self_signed |= bit;
        }
    }
    return (search->self_signed & bit) != 0;
}

/* What the end of a path allows. */
enum end { VALID, EXTENSIBLE, DEAD_END };

/* Judges the path as it is, and with each root behind it. */
static enum end judge_end(struct chain_search *search) {
    const struct certificate *last = search->path.certificates[search->path.length - 1];
    if (search->path.length > search->longest) {
        search->longest = search->path.length;
        search->longest_end = last;
    }
    if (is_trusted(search, last)) {
        return spend(search, &search->paths, PATHS_MAX) && check_path(search) ? VALID : DEAD_END;
    }
    if (is_self_signed(search, last)) {
        return DEAD_END;
    }
    return try_roots(search) ? VALID : EXTENSIBLE;
}

/* Returns the next certificate of the peer that may have issued the last one of the path, from
   index `*next` on, or NULL. */
static const struct certificate *next_issuer(struct chain_search *search, size_t *next) {
    const struct chain_request *request = search->request;
    const struct certificate *last = search->path.certificates[search->path.length - 1];
    while (*next < request->peers_count &&
           spend(search, &search->steps, 2 * request->peers_count * request->peers_count)) {
        const struct certificate *issuer = &request->peers[(*next)++];
        if (certificate_may_issue(issuer, last) && !is_on_path(search, issuer)) {
            return issuer;
        }
    }
    return NULL;
}

/* Searches depth first from the peer's certificate. Returns whether there is a valid path. */
static bool find_path(struct chain_search *search) {
    search->next[0] = 1;
    enum end end = judge_end(search);
    while (end != VALID && search->path.length > 0) {
        const struct certificate *issuer =
            end == EXTENSIBLE ? next_issuer(search, &search->next[search->path.length - 1]) : NULL;
        if (issuer == NULL) {
            search->path.length--; /* back to the issuer before, of which more may come */
            end = EXTENSIBLE;
        } else {
            search->next[search->path.length] = 1;
            search->path.certificates[search->path.length++] = issuer;
            end = judge_end(search);
        }
    }
    return end == VALID;
}

struct chain_result chain_verify(const struct chain_request *request, struct chain_search *search) {
    *search = (struct chain_search){.request = request, .path = {{request->peers}, 1}};
    if (find_path(search)) {
        return (struct chain_result){PORTLS_VERIFY_OK, 0, request->peers};
    }
    if (search->limited) {
        return (struct chain_result){PORTLS_VERIFY_LIMIT, 0, request->peers};
    }
    if (search->paths > 0) {
        return search->first;
    }
    return (struct chain_result){is_self_signed(search, request->peers) ? PORTLS_VERIFY_SELF_SIGNED
                                                                        : PORTLS_VERIFY_UNTRUSTED,
                                 search->longest - 1, search->longest_end};
}
