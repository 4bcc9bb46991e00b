/* Connects step by step: resolve, race the addresses, use the ports of the connected socket. */
#include "core/net/connecting.h"

#include <string.h>

#include "core/wait/wait.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/port/port.h"
#include "core/os/socket.h"

enum {
    ADDRESSES_LIMIT = 16,
    /* RFC 8305, section 5: the delay before the next attempt starts beside the pending ones. */
    ATTEMPT_MILLISECONDS = 250,
    /* Before a Unix socket whose queue is full is tried again. */
    QUEUE_FULL_MILLISECONDS = 10,
};

enum connecting_state { RESOLVING, RACING, CONNECTED, FAILED };

struct connecting {
    portls_input_port in;
    portls_output_port out;
    atomic_uint unreleased; /* port objects; the last one frees the struct */
    unsigned open;          /* ports that are not closed */
    enum connecting_state state;
    int64_t linger_limit; /* when the close no longer lingers; see descriptor_ports_limit_linger */

    struct os_resolution *resolution; /* while RESOLVING */
    size_t count, next;               /* addresses, and the index of the next attempt */
    int64_t next_attempt;             /* when it starts if the others are still pending */
    struct os_address addresses[ADDRESSES_LIMIT];
    portls_descriptor attempts[ADDRESSES_LIMIT]; /* sockets that are connecting */
    size_t pending;
    int first_failure; /* of an attempt; reported if none connects */

    atomic_uint busy_poll;        /* microseconds, for waits to read from the socket */
    portls_input_port *socket_in; /* when CONNECTED */
    portls_output_port *socket_out;
    portls_error failure; /* when FAILED */
    int port_no;          /* 0: `host` is the path of a Unix socket */
    char host[];
};

static struct connecting *around_input(const portls_input_port *in) {
    return (struct connecting *)(void *)((const char *)in - offsetof(struct connecting, in));
}

static struct connecting *around_output(const portls_output_port *out) {
    return (struct connecting *)(void *)((const char *)out - offsetof(struct connecting, out));
}

/* ---- the race ---- */

static void drop_attempts(struct connecting *made) {
    while (made->pending > 0) {
        (void)os_close(made->attempts[--made->pending]);
    }
}

/* A socket is connected: closes the other attempts and creates its ports. */
static void win(struct connecting *made, portls_descriptor socket) {
    drop_attempts(made);
    if (descriptor_ports_of_socket(socket, &made->socket_in, &made->socket_out, &made->failure) ==
        PORTLS_OK) {
        made->state = CONNECTED;
    } else {
        (void)os_close(socket);
        made->state = FAILED;
    }
}

/* Tries addresses until an attempt is pending or connected, or none is left. */
static void try_next(struct connecting *made) {
    while (made->next < made->count) {
        portls_descriptor socket = PORTLS_NO_DESCRIPTOR;
        int failed = os_socket_connect(&made->addresses[made->next++], &socket);
        if (failed == 0) {
            win(made, socket);
            return;
        }
        if (failed == OS_WOULD_BLOCK) {
            made->attempts[made->pending++] = socket;
            made->next_attempt = clock_after(ATTEMPT_MILLISECONDS);
            return;
        }
        if (failed == OS_QUEUE_FULL) {
            made->next--;
            made->next_attempt = clock_after(QUEUE_FULL_MILLISECONDS);
            return;
        }
        if (made->first_failure == 0) {
            made->first_failure = failed;
        }
    }
}

/* Removes the attempts that have failed, until one has connected. */
static void check_attempts(struct connecting *made) {
    size_t i = 0;
    while (i < made->pending && made->state == RACING) {
        portls_descriptor socket = made->attempts[i];
        struct os_poll_item item = {socket, OS_WRITABLE, 0};
        size_t ready = 0;
        int failed = os_poll(&item, 1, 0, &ready);
        if (failed == 0 && ready == 0) {
            i++;
            continue;
        }
        made->attempts[i] = made->attempts[--made->pending];
        failed = failed != 0 ? failed : os_socket_connected(socket);
        if (failed == 0) {
            win(made, socket);
        } else {
            (void)os_close(socket);
            made->first_failure = made->first_failure != 0 ? made->first_failure : failed;
        }
    }
}

static void fail_to_connect(struct connecting *made, int failed) {
    if (made->port_no == 0) {
        (void)error_fail_os(&made->failure, PORTLS_CONNECT, failed, "cannot connect to %s",
                            made->host);
    } else {
        (void)error_fail_os(&made->failure, PORTLS_CONNECT, failed, "cannot connect to %s port %d",
                            made->host, made->port_no);
    }
}

static void race(struct connecting *made) {
    size_t before = made->pending;
    check_attempts(made);
    /* A failed attempt starts the next one at once. */
    bool one_failed = made->pending < before || made->pending == 0;
    if (made->state == RACING && (one_failed || clock_now() >= made->next_attempt)) {
        try_next(made);
    }
    if (made->state == RACING && made->pending == 0 && made->next == made->count) {
        made->state = FAILED;
        fail_to_connect(made, made->first_failure);
    }
}

static void resolve(struct connecting *made) {
    const char *reason = NULL;
    int failed = os_resolution_result(made->resolution, made->addresses, ADDRESSES_LIMIT,
                                      &made->count, &reason);
    if (failed == OS_WOULD_BLOCK) {
        return;
    }
    os_resolution_end(made->resolution);
    made->resolution = NULL;
    if (failed == 0) {
        made->state = RACING;
        return;
    }
    made->state = FAILED;
    (void)error_fail(&made->failure, PORTLS_RESOLVE, "cannot resolve \"%s\": %s", made->host,
                     reason);
    made->failure.os_errno = failed > 0 ? failed : 0;
}

/* Continues without waiting. PORTLS_OK once connected, WANT_WRITE before, or the failure. */
static portls_status step(struct connecting *made, portls_error *error) {
    if (made->state == RESOLVING) {
        resolve(made);
    }
    if (made->state == RACING) {
        race(made);
    }
    if (made->state == FAILED) {
        return error_copy(error, &made->failure);
    }
    return made->state == CONNECTED ? PORTLS_OK : PORTLS_WANT_WRITE;
}

static void wait_for_step(const struct connecting *made, struct wait_set *set) {
    wait_set_add_passing(set);
    portls_descriptor resolution = made->state == RESOLVING
                                       ? os_resolution_descriptor(made->resolution)
                                       : PORTLS_NO_DESCRIPTOR;
    if (resolution != PORTLS_NO_DESCRIPTOR) {
        wait_set_add_descriptor(set, resolution, OS_READABLE);
    } else if (made->state == RACING) {
        for (size_t i = 0; i < made->pending; i++) {
            wait_set_add_descriptor(set, made->attempts[i], OS_WRITABLE);
        }
        if (made->next < made->count) {
            wait_set_add_deadline(set, made->next_attempt);
        }
    } else {
        wait_set_add_ready(set);
    }
}

/* ---- the ports ---- */

static portls_status read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                portls_error *error) {
    struct connecting *made = around_input(in);
    portls_status status = step(made, error);
    if (status != PORTLS_OK) {
        return status;
    }
    return made->socket_in->class->read_avail(made->socket_in, buffer, size, got, error);
}

static portls_status read_blocking(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                   portls_error *error) {
    struct connecting *made = around_input(in);
    portls_status status = step(made, error);
    if (status != PORTLS_OK) {
        return status;
    }
    const struct input_class *class = made->socket_in->class;
    return atomic_load(&made->busy_poll) > 0
               ? class->read_avail(made->socket_in, buffer, size, got, error)
               : class->read_blocking(made->socket_in, buffer, size, got, error);
}

static bool byte_ready(portls_input_port *in) {
    struct connecting *made = around_input(in);
    portls_status status = step(made, NULL);
    return status == PORTLS_OK ? portls_byte_ready(made->socket_in) : status != PORTLS_WANT_WRITE;
}

static void begin_read_wait(portls_input_port *in, struct wait_set *set) {
    struct connecting *made = around_input(in);
    if (made->state == CONNECTED) {
        input_port_begin_wait(made->socket_in, set);
        wait_set_add_busy_poll(set, atomic_load(&made->busy_poll));
    } else {
        wait_for_step(made, set);
    }
}

static void end_read_wait(portls_input_port *in) {
    struct connecting *made = around_input(in);
    if (made->state == CONNECTED) {
        input_port_end_wait(made->socket_in);
    }
}

static portls_status write_avail(portls_output_port *out, const void *bytes, size_t size,
                                 size_t *put, portls_error *error) {
    struct connecting *made = around_output(out);
    portls_status status = step(made, error);
    if (status != PORTLS_OK) {
        return status;
    }
    return made->socket_out->class->write_avail(made->socket_out, bytes, size, put, error);
}

static portls_status write_both_avail(portls_output_port *out, const struct os_piece pieces[2],
                                      size_t *put, portls_error *error) {
    struct connecting *made = around_output(out);
    portls_status status = step(made, error);
    if (status != PORTLS_OK) {
        return status;
    }
    return made->socket_out->class->write_both_avail(made->socket_out, pieces, put, error);
}

static portls_status flush_avail(portls_output_port *out, portls_error *error) {
    struct connecting *made = around_output(out);
    portls_status status = step(made, error);
    return status == PORTLS_OK ? output_port_flush_avail(made->socket_out, error) : status;
}

/* Before the socket is connected nothing has been taken, so that there is nothing to flush. */
static portls_status finish_avail(portls_output_port *out, portls_error *error) {
    struct connecting *made = around_output(out);
    return made->state == CONNECTED ? output_port_flush_avail(made->socket_out, error) : PORTLS_OK;
}

/* Tells the ports of the socket what these know of their close. */
static void prepare_linger(struct connecting *made) {
    made->socket_in->peer = made->in.peer;
    descriptor_ports_limit_linger(made->socket_in, made->linger_limit);
}

/* Closing the second of the two ports closes both ports of the socket. */
static portls_status linger_avail(portls_output_port *out, const portls_input_port *beside) {
    struct connecting *made = around_output(out);
    bool is_last = made->open == 1 || beside == &made->in;
    if (!is_last || made->state != CONNECTED) {
        return PORTLS_OK;
    }
    prepare_linger(made);
    return ports_linger_avail(made->socket_in, made->socket_out);
}

static bool room_ready(portls_output_port *out) {
    struct connecting *made = around_output(out);
    portls_status status = step(made, NULL);
    return status == PORTLS_OK ? made->socket_out->class->room_ready(made->socket_out)
                               : status != PORTLS_WANT_WRITE;
}

static void begin_write_wait(portls_output_port *out, struct wait_set *set) {
    struct connecting *made = around_output(out);
    if (made->state == CONNECTED) {
        output_port_begin_wait(made->socket_out, set);
    } else {
        wait_for_step(made, set);
    }
}

static void end_write_wait(portls_output_port *out) {
    struct connecting *made = around_output(out);
    if (made->state == CONNECTED) {
        output_port_end_wait(made->socket_out);
    }
}

/* The second port to close closes the socket, or cancels resolution and the attempts. */
static portls_status close_one(struct connecting *made, enum port_end end, portls_error *error) {
    if (--made->open > 0) {
        return PORTLS_OK;
    }
    os_resolution_end(made->resolution);
    made->resolution = NULL;
    drop_attempts(made);
    if (made->state != CONNECTED) {
        return PORTLS_OK;
    }
    if (end != PORT_CLOSE) {
        ports_end(made->socket_in, made->socket_out, end);
        return PORTLS_OK;
    }
    prepare_linger(made);
    /* The public call below would erase an earlier cause. */
    bool is_first_cause = error != NULL && error->status == PORTLS_OK;
    return portls_close_ports(made->socket_in, made->socket_out, is_first_cause ? error : NULL);
}

static portls_status close_input(portls_input_port *in, portls_error *error) {
    return close_one(around_input(in), in->base.end, error);
}

static portls_status close_output(portls_output_port *out, portls_error *error) {
    return close_one(around_output(out), out->base.end, error);
}

static void release_one(struct connecting *made) {
    if (atomic_fetch_sub(&made->unreleased, 1) == 1) {
        memory_free(made);
    }
}

static void release_input(portls_input_port *in) {
    in->handle.kind = HANDLE_FREED;
    release_one(around_input(in));
}

static void release_output(portls_output_port *out) {
    out->handle.kind = HANDLE_FREED;
    release_one(around_output(out));
}

static portls_descriptor input_descriptor(const portls_input_port *in) {
    const struct connecting *made = around_input(in);
    return made->state == CONNECTED ? made->socket_in->class->descriptor(made->socket_in)
                                    : PORTLS_NO_DESCRIPTOR;
}

static portls_descriptor output_descriptor(const portls_output_port *out) {
    return input_descriptor(&around_output(out)->in);
}

/* Only reads from the socket poll: a wait for the connection sleeps. */
static bool set_busy_poll(portls_input_port *in, unsigned int microseconds) {
    atomic_store(&around_input(in)->busy_poll, microseconds);
    return true;
}

static const struct input_class connecting_input_class = {
    .read_avail = read_avail,
    .read_blocking = read_blocking,
    .byte_ready = byte_ready,
    .begin_wait = begin_read_wait,
    .end_wait = end_read_wait,
    .close = close_input,
    .release = release_input,
    .descriptor = input_descriptor,
    .set_busy_poll = set_busy_poll,
};

static const struct output_class connecting_output_class = {
    .write_avail = write_avail,
    .write_both_avail = write_both_avail,
    .flush_avail = flush_avail,
    .finish_avail = finish_avail,
    .linger_avail = linger_avail,
    .room_ready = room_ready,
    .begin_wait = begin_write_wait,
    .end_wait = end_write_wait,
    .close = close_output,
    .release = release_output,
    .descriptor = output_descriptor,
};

/* Begins with a name to be resolved, or with the address of a Unix socket. */
static portls_status begin(struct connecting *made, portls_error *error) {
    int failed = 0;
    if (made->port_no != 0) {
        made->state = RESOLVING;
        failed = os_resolution_begin(made->host, made->port_no, &made->resolution);
        return failed == 0 ? PORTLS_OK
                           : error_fail_os(error, PORTLS_OS, failed,
                                           "cannot begin to resolve \"%s\"", made->host);
    }
    made->state = RACING;
    made->count = 1;
    failed = os_path_address(made->host, &made->addresses[0]);
    if (failed == OS_UNSUPPORTED) {
        return error_fail(error, PORTLS_UNSUPPORTED, "this system has no Unix sockets");
    }
    if (failed != 0) {
        fail_to_connect(made, failed);
        return error_copy(error, &made->failure);
    }
    return PORTLS_OK;
}

portls_status connecting_ports(const char *host, int port_no, portls_input_port **in,
                               portls_output_port **out, portls_error *error) {
    size_t length = strlen(host);
    struct connecting *made = memory_zeroed(sizeof *made + length + 1);
    if (made == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "no memory for a connection");
    }
    memcpy(made->host, host, length + 1);
    made->port_no = port_no;
    made->open = 2;
    made->linger_limit = NO_DEADLINE;
    atomic_init(&made->unreleased, 2);
    error_begin(&made->failure);
    portls_status status = begin(made, error);
    if (status != PORTLS_OK) {
        memory_free(made);
        return status;
    }
    input_port_init(&made->in, &connecting_input_class);
    made->in.short_is_all = true; /* as a socket does */
    output_port_init(&made->out, &connecting_output_class);
    made->out.holds = false; /* takes nothing before it is connected */
    *in = &made->in;
    *out = &made->out;
    return PORTLS_OK;
}

void connecting_ports_limit_linger(portls_input_port *in, int64_t deadline) {
    around_input(in)->linger_limit = deadline;
}
