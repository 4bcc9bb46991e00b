/* Reports what a foreign event loop has to poll for a source. */
#include "portls/interest.h"

#include "core/base/error.h"
#include "core/sync/sync.h"
#include "core/wait/wait.h"

enum { NANOSECONDS_PER_MILLISECOND = 1000000 };

/* Adds a descriptor, or a direction to one that is there; false when there is no room. */
static bool add_descriptor(portls_interest *interest, const struct os_poll_item *item) {
    size_t i = 0;
    while (i < interest->count && interest->wanted[i].descriptor != item->descriptor) {
        i++;
    }
    if (i == PORTLS_INTEREST_DESCRIPTORS) {
        return false;
    }
    if (i == interest->count) {
        interest->wanted[interest->count++].descriptor = item->descriptor;
    }
    interest->wanted[i].readable |= (item->wanted & OS_READABLE) != 0;
    interest->wanted[i].writable |= (item->wanted & OS_WRITABLE) != 0;
    return true;
}

/* Converts a wait set. PORTLS_OK; PORTLS_UNSUPPORTED; why the set could not be filled. */
static portls_status convert(const struct wait_set *set, portls_interest *interest,
                             portls_error *error) {
    if (set->failure != PORTLS_OK) {
        return error_fail(error, set->failure, "out of memory for a wait");
    }
    interest->ready = set->ready;
    interest->deadline = portls_deadline_at(set->deadline);
    if (interest->ready) {
        return PORTLS_OK;
    }
    if (set->impossible || set->callback != NULL || set->would_watch) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "an event loop cannot wait for this port: below it is one in memory, or "
                          "made from callbacks without a descriptor");
    }
    for (size_t i = 0; i < set->item_count; i++) {
        if (!add_descriptor(interest, &set->items[i])) {
            interest->count = 0;
            return error_fail(error, PORTLS_UNSUPPORTED, "the wait needs more than %d descriptors",
                              PORTLS_INTEREST_DESCRIPTORS);
        }
    }
    return PORTLS_OK;
}

portls_status portls_interest_of(portls_source source, portls_interest *interest,
                                 portls_error *error) {
    error_begin(error);
    if (interest == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for the interest is NULL");
    }
    *interest = (portls_interest){.deadline = PORTLS_NO_DEADLINE};
    portls_status status = sync_source_check(source.handle, "source", error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (sync_source_ready(source.handle)) {
        interest->ready = true;
        return PORTLS_OK;
    }
    struct wait_set set;
    wait_set_init(&set);
    set.only_asks = true;
    set.only_polls = true;
    sync_source_begin_wait(source.handle, &set);
    status = convert(&set, interest, error);
    wait_set_destroy(&set);
    return status;
}

int portls_milliseconds_until(portls_deadline deadline) {
    if (deadline.nanoseconds == NO_DEADLINE) {
        return -1;
    }
    int64_t left = clock_until(deadline.nanoseconds);
    if (left == 0) {
        return 0;
    }
    int64_t milliseconds = (left - 1) / NANOSECONDS_PER_MILLISECOND + 1;
    return milliseconds < INT32_MAX ? (int)milliseconds : INT32_MAX;
}
