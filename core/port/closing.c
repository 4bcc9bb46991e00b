/* Connections that close in the background: each is tried again after a pause, until it is closed
   or its time is over. */
#include "core/port/closing.h"

#include "core/port/port.h"
#include "core/wait/wait.h"

enum { FIRST_PAUSE = 1, LONGEST_PAUSE = 32 }; /* milliseconds */

portls_status closing_check(const portls_input_port *in, const portls_output_port *out,
                            portls_error *error) {
    portls_status status = input_port_check(in, error);
    return status == PORTLS_OK ? output_port_check(out, error) : status;
}

struct closing closing_begin(portls_input_port *in, portls_output_port *out) {
    observer_detach(&in->base.observer);
    observer_detach(&out->base.observer);
    return (struct closing){in, out, clock_now(), clock_after(CLOSING_MILLISECONDS), FIRST_PAUSE};
}

/* Tries to close both ports without waiting. Returns whether they are closed. */
static bool try_close(struct closing *closing) {
    if (closing->out != NULL) {
        if (port_wants(portls_close_output_port_avail(closing->out, NULL))) {
            return false;
        }
        closing->out = NULL;
    }
    if (port_wants(portls_close_input_port_avail(closing->in, NULL))) {
        return false;
    }
    closing->in = NULL;
    return true;
}

bool closing_step(struct closing *closing) {
    if (try_close(closing)) {
        return true;
    }
    if (clock_now() >= closing->until) {
        portls_abandon_ports(closing->in, closing->out);
        return true;
    }
    closing->next = clock_after(closing->pause);
    closing->next = closing->next < closing->until ? closing->next : closing->until;
    closing->pause = closing->pause < LONGEST_PAUSE ? 2 * closing->pause : LONGEST_PAUSE;
    return false;
}

static struct closing remove_entry(struct closing_queue *queue, size_t place) {
    struct closing removed = queue->entries[place];
    queue->count--;
    for (size_t i = place; i < queue->count; i++) {
        queue->entries[i] = queue->entries[i + 1];
    }
    return removed;
}

/* Removes the oldest connection of a full queue; false when there is room for one more. */
static bool take_surplus(struct closing_queue *queue, struct closing *oldest) {
    if (queue->count < CLOSING_LIMIT) {
        return false;
    }
    size_t place = 0;
    for (size_t i = 1; i < queue->count; i++) {
        place = queue->entries[i].until < queue->entries[place].until ? i : place;
    }
    *oldest = remove_entry(queue, place);
    return true;
}

bool closing_queue_put(struct closing_queue *queue, const struct closing *closing,
                       struct closing *oldest) {
    bool full = take_surplus(queue, oldest);
    queue->entries[queue->count++] = *closing;
    return full;
}

bool closing_queue_take_due(struct closing_queue *queue, struct closing *closing) {
    int64_t now = queue->count > 0 ? clock_now() : 0;
    for (size_t i = 0; i < queue->count; i++) {
        if (queue->entries[i].next <= now) {
            *closing = remove_entry(queue, i);
            return true;
        }
    }
    return false;
}

int64_t closing_queue_due(const struct closing_queue *queue) {
    int64_t due = NO_DEADLINE;
    for (size_t i = 0; i < queue->count; i++) {
        due = queue->entries[i].next < due ? queue->entries[i].next : due;
    }
    return due;
}

/* Waits until a time that is at most LONGEST_PAUSE away. */
static bool wait_until(int64_t time) {
    struct wait_set set;
    wait_set_init(&set);
    wait_set_add_deadline(&set, time);
    portls_status status = wait_set_wait(&set, &WAIT_FOREVER, NULL);
    wait_set_destroy(&set);
    return status == PORTLS_OK;
}

void closing_queue_finish(struct closing_queue *queue) {
    while (queue->count > 0 && wait_until(closing_queue_due(queue))) {
        struct closing closing;
        struct closing none; /* there is room for what was taken */
        while (closing_queue_take_due(queue, &closing)) {
            if (!closing_step(&closing)) {
                (void)closing_queue_put(queue, &closing, &none);
            }
        }
    }
    for (; queue->count > 0; queue->count--) {
        portls_abandon_ports(queue->entries[queue->count - 1].in,
                             queue->entries[queue->count - 1].out);
    }
}

void closing_queue_forget(struct closing_queue *queue) {
    for (; queue->count > 0; queue->count--) {
        portls_forget_ports(queue->entries[queue->count - 1].in,
                            queue->entries[queue->count - 1].out);
    }
}
