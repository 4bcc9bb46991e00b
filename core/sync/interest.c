/* What an event loop that is not ours has to wait for (models: wrong poll direction, stalls on data
   that is buffered already). */
#include "portls/interest.h"

#include "core/wait/clock.h"
#include "core/base/error.h"
#include "core/net/listener.h"
#include "core/port/port.h"

enum { NANOSECONDS_PER_MILLISECOND = 1000000 };

/* Copies what a wait would wait for. */
static portls_status take_items(const struct wait_set *set, portls_interest *interest,
                                portls_error *error) {
    if (set->failure != PORTLS_OK) {
        return error_fail(error, set->failure, "out of memory for a wait");
    }
    interest->ready = interest->ready || set->ready;
    if (set->deadline != PORTLS_NO_DEADLINE) {
        interest->deadline = set->deadline;
    }
    if (interest->ready) {
        return PORTLS_OK;
    }
    if (set->impossible || set->callback != NULL || set->watcher_count > 0) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "an event loop cannot wait for this port: below it is one in memory, or "
                          "made from callbacks without a descriptor");
    }
    for (size_t i = 0; i < set->item_count; i++) {
        if (i == PORTLS_INTEREST_DESCRIPTORS) {
            return error_fail(error, PORTLS_UNSUPPORTED, "the wait needs more than %d descriptors",
                              PORTLS_INTEREST_DESCRIPTORS);
        }
        interest->wanted[i].descriptor = set->items[i].descriptor;
        interest->wanted[i].readable = (set->items[i].wanted & OS_READABLE) != 0;
        interest->wanted[i].writable = (set->items[i].wanted & OS_WRITABLE) != 0;
    }
    interest->count = set->item_count;
    return PORTLS_OK;
}

/* One descriptor that is wanted for both directions is one entry. */
static void join(portls_interest *interest) {
    size_t count = 0;
    for (size_t i = 0; i < interest->count; i++) {
        size_t j = 0;
        while (j < count && interest->wanted[j].descriptor != interest->wanted[i].descriptor) {
            j++;
        }
        if (j == count) {
            interest->wanted[count++] = interest->wanted[i];
        } else {
            interest->wanted[j].readable |= interest->wanted[i].readable;
            interest->wanted[j].writable |= interest->wanted[i].writable;
        }
    }
    interest->count = count;
}

static portls_status of_input(portls_input_port *in, portls_interest *interest,
                              portls_error *error) {
    portls_status status = input_port_check(in, error);
    if (status != PORTLS_OK) {
        return status;
    }
    interest->ready = portls_byte_ready(in);
    struct wait_set set;
    wait_set_init(&set);
    if (!interest->ready) {
        input_port_begin_wait(in, &set);
    }
    status = take_items(&set, interest, error);
    wait_set_destroy(&set);
    input_port_end_wait(in);
    return status;
}

static portls_status of_output(portls_output_port *out, portls_interest *interest,
                               portls_error *error) {
    portls_status status = output_port_check(out, error);
    if (status != PORTLS_OK) {
        return status;
    }
    interest->ready = out->class->room_ready(out);
    struct wait_set set;
    wait_set_init(&set);
    if (!interest->ready) {
        output_port_begin_wait(out, &set);
    }
    status = take_items(&set, interest, error);
    wait_set_destroy(&set);
    output_port_end_wait(out);
    return status;
}

static portls_status of_listener(portls_listener *listener, portls_interest *interest,
                                 portls_error *error) {
    interest->ready = listener_ready(listener);
    struct wait_set set;
    wait_set_init(&set);
    portls_status status = PORTLS_OK;
    if (!interest->ready) {
        listener_begin_wait(listener, &set);
        status = take_items(&set, interest, error);
        wait_set_destroy(&set);
        listener_end_wait(listener);
    }
    return status;
}

portls_status portls_interest_of(void *handle, portls_interest *interest, portls_error *error) {
    error_begin(error);
    if (interest == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT, "the place for the interest is NULL");
    }
    *interest = (portls_interest){.deadline = PORTLS_NO_DEADLINE};
    portls_status status = PORTLS_OK;
    if (portls_is_input_port(handle)) {
        status = of_input(handle, interest, error);
    } else if (portls_is_output_port(handle)) {
        status = of_output(handle, interest, error);
    } else if (portls_is_listener(handle)) {
        status = of_listener(handle, interest, error);
    } else {
        status =
            error_fail(error, PORTLS_WRONG_KIND, "portls_interest_of needs a listener or a port");
    }
    join(interest);
    return status;
}

int portls_milliseconds_until(portls_deadline deadline) {
    if (deadline == PORTLS_NO_DEADLINE) {
        return -1;
    }
    int64_t left = deadline - clock_now();
    if (left <= 0) {
        return 0;
    }
    int64_t milliseconds = (left - 1) / NANOSECONDS_PER_MILLISECOND + 1;
    return milliseconds < INT32_MAX ? (int)milliseconds : INT32_MAX;
}
