/* Connections that a sync set closes in the background (core/port/closing.h). */
#include "core/base/error.h"
#include "core/sync/sync_set.h"

/* Puts a connection into the set's queue; of too many, cuts off the oldest. */
static void put(portls_sync_set *set, const struct closing *closing) {
    struct closing oldest;
    os_mutex_lock(&set->lock);
    bool full = closing_queue_put(&set->closing, closing, &oldest);
    sync_set_wake(set);
    os_mutex_unlock(&set->lock);
    if (full) {
        portls_abandon_ports(oldest.in, oldest.out);
    }
}

static bool take_due(portls_sync_set *set, struct closing *closing) {
    os_mutex_lock(&set->lock);
    bool taken = closing_queue_take_due(&set->closing, closing);
    os_mutex_unlock(&set->lock);
    return taken;
}

void sync_linger_step(portls_sync_set *set) {
    struct closing closing;
    /* Bounded: a close may be due again before the last one was stepped. */
    for (int i = 0; i < CLOSING_LIMIT && take_due(set, &closing); i++) {
        if (!closing_step(&closing)) {
            put(set, &closing);
        }
    }
}

portls_status portls_sync_set_linger(portls_sync_set *set, portls_input_port *in,
                                     portls_output_port *out, portls_error *error) {
    error_begin(error);
    portls_status status = sync_set_check(set, error);
    if (status == PORTLS_OK) {
        status = closing_check(in, out, error);
    }
    if (status != PORTLS_OK) {
        return status;
    }
    status = sync_set_own_poller(set, error);
    if (status != PORTLS_OK) {
        portls_abandon_ports(in, out);
        return status;
    }
    struct closing closing = closing_begin(in, out);
    if (!closing_step(&closing)) {
        put(set, &closing);
    }
    return PORTLS_OK;
}
