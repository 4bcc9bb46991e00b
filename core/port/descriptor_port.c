/* Ports over descriptors: sockets, pipes, terminals, files. */
#include <stdatomic.h>
#include <stddef.h>

#include "core/wait/wait.h"
#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"
#include "core/port/port.h"

/* The close of a socket: it must not destroy written bytes that have not arrived. */
enum linger_state { NOT_LINGERING, LINGERING, DELIVERED };

/* One descriptor and its one or two ports, in one allocation. */
struct descriptor_ports {
    portls_input_port in;
    portls_output_port out;
    portls_descriptor descriptor;
    enum os_descriptor_kind kind;
    bool own;
    bool has_output; /* there may be written bytes, which the close has to deliver */
    enum linger_state linger;
    struct os_delivery delivery;
    int64_t linger_limit;   /* when lingering ends at the latest, beside CLOSE_MILLISECONDS */
    int64_t linger_until;   /* when LINGERING ends at the latest */
    int linger_pause;       /* milliseconds before the next look */
    int linger_failure;     /* the system's error, which the close returns */
    atomic_uint busy_poll;  /* microseconds that a wait to read polls before it sleeps */
    atomic_uint open;       /* ports that are not closed: the last one closes the descriptor */
    atomic_uint unreleased; /* ports whose memory is in use: the last one frees it */
};

static struct descriptor_ports *ports_of_input(const portls_input_port *in) {
    return (struct descriptor_ports *)(void *)((char *)(void *)in -
                                               offsetof(struct descriptor_ports, in));
}

static struct descriptor_ports *ports_of_output(const portls_output_port *out) {
    return (struct descriptor_ports *)(void *)((char *)(void *)out -
                                               offsetof(struct descriptor_ports, out));
}

/* ---- both directions ---- */

/* Whether the descriptor is ready; also when it cannot be polled, since reading or writing then
   returns why. */
static bool is_ready(portls_descriptor descriptor, uint8_t wanted) {
    struct os_poll_item item = {descriptor, wanted, 0};
    size_t ready = 0;
    return os_poll(&item, 1, 0, &ready) != 0 || ready > 0;
}

/*
 * The one place that decides whether a close lingers, and one step of it. PORTLS_OK: the descriptor
 * can be closed; PORTLS_WANT_WRITE: not yet. A socket below an input port alone may be
 * written to through another descriptor (as a server's standard input and output are): sending FIN
 * would cut that one short.
 */
static portls_status linger(struct descriptor_ports *ports) {
    if (!ports->own || ports->kind != OS_SOCKET || !ports->has_output ||
        ports->linger == DELIVERED) {
        return PORTLS_OK;
    }
    if (ports->linger == NOT_LINGERING) {
        int64_t latest = clock_after(CLOSE_MILLISECONDS);
        ports->linger = LINGERING;
        ports->linger_until = latest < ports->linger_limit ? latest : ports->linger_limit;
        ports->linger_pause = 1;
    }
    if (ports->delivery.peer != OS_PEER_SENDING) {
        ports->delivery.peer = input_port_has_unread(&ports->in) ? OS_PEER_SENDING : ports->in.peer;
    }
    int result = os_socket_deliver(ports->descriptor, &ports->delivery);
    if (result == OS_WOULD_BLOCK && clock_now() < ports->linger_until) {
        return PORTLS_WANT_WRITE;
    }
    ports->linger = DELIVERED;
    ports->linger_failure = result == OS_WOULD_BLOCK ? 0 : result;
    return PORTLS_OK;
}

/* Before one port is closed: lingers when it is the last open one, or when `beside` is the other
   and is closed with it. */
static portls_status linger_if_last(struct descriptor_ports *ports,
                                    const portls_input_port *beside) {
    bool is_last = atomic_load(&ports->open) == 1 || beside == &ports->in;
    return is_last ? linger(ports) : PORTLS_OK;
}

/* Waits for the peer's bytes and its end, and while it is silent for the acknowledgement, too. No
   poll reports that, so the wait looks for it, less and less often. */
static void wait_while_lingering(struct descriptor_ports *ports, struct wait_set *set) {
    enum { LONGEST_PAUSE = 32 };
    wait_set_add_descriptor(set, ports->descriptor, OS_READABLE);
    wait_set_add_deadline(set, ports->linger_until);
    if (ports->delivery.peer == OS_PEER_SENDING) {
        return;
    }
    wait_set_add_deadline(set, clock_after(ports->linger_pause));
    if (ports->linger_pause < LONGEST_PAUSE) {
        ports->linger_pause *= 2;
    }
}

/* Lingers to the end. PORTLS_OK; why the wait failed: written bytes may then be lost. */
static portls_status wait_until_delivered(struct descriptor_ports *ports, portls_error *error) {
    static const struct wait_limit forever = {NO_DEADLINE, NULL}; /* linger has a limit */
    portls_status status = PORTLS_OK;
    while (status == PORTLS_OK && linger(ports) != PORTLS_OK) {
        struct wait_set set;
        wait_set_init(&set);
        wait_while_lingering(ports, &set);
        status = wait_set_wait(&set, &forever, error);
        wait_set_destroy(&set);
    }
    return status;
}

/* One of the ports is closed; with the last one the descriptor is, as `end` says. */
static portls_status close_one(struct descriptor_ports *ports, enum port_end end,
                               portls_error *error) {
    if (atomic_fetch_sub(&ports->open, 1) != 1 || !ports->own) {
        return PORTLS_OK;
    }
    portls_status status = PORTLS_OK;
    if (end == PORT_CLOSE) {
        /* Returns at once after a close without waiting, which has lingered. */
        status = wait_until_delivered(ports, error);
    } else if (end == PORT_ABANDON && ports->kind == OS_SOCKET) {
        os_socket_reset_by_close(ports->descriptor);
    }
    int closed = os_close(ports->descriptor);
    int failure = ports->linger_failure != 0 ? ports->linger_failure : closed;
    if (failure != 0 && status == PORTLS_OK) {
        status = error_fail_os(error, PORTLS_IO, failure, "closing the descriptor failed");
    }
    return status;
}

static void release_one(struct descriptor_ports *ports) {
    if (atomic_fetch_sub(&ports->unreleased, 1) == 1) {
        memory_free(ports);
    }
}

/* ---- input ---- */

/* Translates the result of a system call. */
static portls_status read_result(int result, size_t got, portls_error *error) {
    if (result == 0) {
        return got > 0 ? PORTLS_OK : PORTLS_EOF;
    }
    if (result == OS_WOULD_BLOCK) {
        return PORTLS_WANT_READ;
    }
    return error_fail_os(error, PORTLS_IO, result, "reading from the descriptor failed");
}

static portls_status read_avail(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                portls_error *error) {
    const struct descriptor_ports *ports = ports_of_input(in);
    int result = os_read(ports->descriptor, ports->kind, buffer, size, got);
    return read_result(result, *got, error);
}

static portls_status read_blocking(portls_input_port *in, void *buffer, size_t size, size_t *got,
                                   portls_error *error) {
    const struct descriptor_ports *ports = ports_of_input(in);
    /* With busy polling the wait set polls: the port does not block in the read. */
    if (ports->kind != OS_SOCKET || atomic_load(&ports->busy_poll) > 0) {
        return read_avail(in, buffer, size, got, error);
    }
    int result = os_receive(ports->descriptor, buffer, size, got);
    return read_result(result, *got, error);
}

static void interrupt(portls_input_port *in) {
    const struct descriptor_ports *ports = ports_of_input(in);
    if (ports->kind == OS_SOCKET) {
        os_socket_stop_receiving(ports->descriptor);
    }
}

static portls_status linger_input(portls_input_port *in) {
    return linger_if_last(ports_of_input(in), NULL);
}

static bool byte_ready(portls_input_port *in) {
    struct descriptor_ports *ports = ports_of_input(in);
    return ports->linger == NOT_LINGERING ? is_ready(ports->descriptor, OS_READABLE)
                                          : linger(ports) == PORTLS_OK;
}

static void begin_read_wait(portls_input_port *in, struct wait_set *set) {
    struct descriptor_ports *ports = ports_of_input(in);
    if (ports->linger == LINGERING) {
        wait_while_lingering(ports, set);
    } else {
        wait_set_add_descriptor(set, ports->descriptor, OS_READABLE);
        wait_set_add_busy_poll(set, atomic_load(&ports->busy_poll));
    }
}

static void end_read_wait(portls_input_port *in) {
    (void)in;
}

static portls_status close_input(portls_input_port *in, portls_error *error) {
    return close_one(ports_of_input(in), in->base.end, error);
}

static void release_input(portls_input_port *in) {
    in->handle.kind = HANDLE_FREED;
    release_one(ports_of_input(in));
}

static portls_descriptor input_descriptor(const portls_input_port *in) {
    return ports_of_input(in)->descriptor;
}

static void acknowledge(portls_input_port *in) {
    const struct descriptor_ports *ports = ports_of_input(in);
    if (ports->kind == OS_SOCKET) {
        os_socket_acknowledge(ports->descriptor);
    }
}

static bool set_busy_poll(portls_input_port *in, unsigned int microseconds) {
    atomic_store(&ports_of_input(in)->busy_poll, microseconds);
    return true;
}

static const struct input_class descriptor_input_class = {
    .read_avail = read_avail,
    .read_blocking = read_blocking,
    .interrupt = interrupt,
    .byte_ready = byte_ready,
    .begin_wait = begin_read_wait,
    .end_wait = end_read_wait,
    .linger_avail = linger_input,
    .close = close_input,
    .release = release_input,
    .descriptor = input_descriptor,
    .acknowledge = acknowledge,
    .set_busy_poll = set_busy_poll,
};

/* ---- output ---- */

/* Translates the result of a system call. */
static portls_status write_result(int result, portls_error *error) {
    if (result == 0) {
        return PORTLS_OK;
    }
    if (result == OS_WOULD_BLOCK) {
        return PORTLS_WANT_WRITE;
    }
    return error_fail_os(error, PORTLS_IO, result, "writing to the descriptor failed");
}

static portls_status write_avail(portls_output_port *out, const void *bytes, size_t size,
                                 size_t *put, portls_error *error) {
    struct descriptor_ports *ports = ports_of_output(out);
    ports->delivery.has_written = true;
    return write_result(os_write(ports->descriptor, ports->kind, bytes, size, put), error);
}

static portls_status write_both_avail(portls_output_port *out, const struct os_piece pieces[2],
                                      size_t *put, portls_error *error) {
    struct descriptor_ports *ports = ports_of_output(out);
    ports->delivery.has_written = true;
    if (ports->kind != OS_SOCKET) {
        return write_avail(out, pieces[0].bytes, pieces[0].size, put, error);
    }
    return write_result(os_send_both(ports->descriptor, pieces, put), error);
}

/* The system has taken what was written: nothing is pending. */
static portls_status flush_avail(portls_output_port *out, portls_error *error) {
    (void)out;
    (void)error;
    return PORTLS_OK;
}

static portls_status linger_output(portls_output_port *out, const portls_input_port *beside) {
    return linger_if_last(ports_of_output(out), beside);
}

static bool room_ready(portls_output_port *out) {
    struct descriptor_ports *ports = ports_of_output(out);
    return ports->linger == NOT_LINGERING ? is_ready(ports->descriptor, OS_WRITABLE)
                                          : linger(ports) == PORTLS_OK;
}

static void begin_write_wait(portls_output_port *out, struct wait_set *set) {
    struct descriptor_ports *ports = ports_of_output(out);
    if (ports->linger == LINGERING) {
        wait_while_lingering(ports, set);
    } else {
        wait_set_add_descriptor(set, ports->descriptor, OS_WRITABLE);
    }
}

static void end_write_wait(portls_output_port *out) {
    (void)out;
}

static portls_status close_output(portls_output_port *out, portls_error *error) {
    return close_one(ports_of_output(out), out->base.end, error);
}

static void release_output(portls_output_port *out) {
    out->handle.kind = HANDLE_FREED;
    release_one(ports_of_output(out));
}

static portls_descriptor output_descriptor(const portls_output_port *out) {
    return ports_of_output(out)->descriptor;
}

static const struct output_class descriptor_output_class = {
    .write_avail = write_avail,
    .write_both_avail = write_both_avail,
    .flush_avail = flush_avail,
    .finish_avail = flush_avail,
    .linger_avail = linger_output,
    .room_ready = room_ready,
    .begin_wait = begin_write_wait,
    .end_wait = end_write_wait,
    .close = close_output,
    .release = release_output,
    .descriptor = output_descriptor,
};

/* ---- making them ---- */

/* Makes one port for each of `in` and `out` that is not NULL. `stream`: the descriptor is a stream
   socket. */
static portls_status make(portls_descriptor descriptor, enum os_descriptor_kind kind, bool stream,
                          bool own, portls_input_port **in, portls_output_port **out,
                          portls_error *error) {
    struct descriptor_ports *ports = memory_zeroed(sizeof *ports);
    if (ports == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for a port");
    }
    unsigned int count = (in != NULL ? 1U : 0U) + (out != NULL ? 1U : 0U);
    ports->descriptor = descriptor;
    ports->kind = kind;
    ports->own = own;
    ports->has_output = out != NULL;
    ports->linger_limit = NO_DEADLINE;
    atomic_init(&ports->open, count);
    atomic_init(&ports->unreleased, count);
    if (in != NULL) {
        input_port_init(&ports->in, &descriptor_input_class);
        ports->in.short_is_all = stream;
        *in = &ports->in;
    }
    if (out != NULL) {
        output_port_init(&ports->out, &descriptor_output_class);
        ports->out.holds = false;
        *out = &ports->out;
    }
    return PORTLS_OK;
}

/* Makes ports of a descriptor after finding out its kind. */
static portls_status make_checked(portls_descriptor descriptor, bool own, portls_input_port **in,
                                  portls_output_port **out, portls_error *error) {
    enum os_descriptor_kind kind = OS_FILE;
    int failure = os_descriptor_kind(descriptor, &kind);
    if (failure != 0) {
        return error_fail_os(error, PORTLS_INVALID_ARGUMENT, failure,
                             "%lld is no open descriptor, and a port needs one",
                             (long long)descriptor);
    }
    bool stream = kind == OS_SOCKET && os_socket_is_stream(descriptor);
    return make(descriptor, kind, stream, own, in, out, error);
}

static portls_status fail_no_place(portls_error *error, const char *name) {
    return error_fail(error, PORTLS_INVALID_ARGUMENT, "%s is NULL, and should receive the port",
                      name);
}

portls_status portls_make_descriptor_input_port(portls_descriptor descriptor, bool own,
                                                portls_input_port **in, portls_error *error) {
    error_begin(error);
    if (in == NULL) {
        return fail_no_place(error, "in");
    }
    *in = NULL;
    return make_checked(descriptor, own, in, NULL, error);
}

portls_status portls_make_descriptor_output_port(portls_descriptor descriptor, bool own,
                                                 portls_output_port **out, portls_error *error) {
    error_begin(error);
    if (out == NULL) {
        return fail_no_place(error, "out");
    }
    *out = NULL;
    return make_checked(descriptor, own, NULL, out, error);
}

portls_status portls_make_descriptor_ports(portls_descriptor descriptor, bool own,
                                           portls_input_port **in, portls_output_port **out,
                                           portls_error *error) {
    error_begin(error);
    if (in != NULL) {
        *in = NULL;
    }
    if (out != NULL) {
        *out = NULL;
    }
    if (in == NULL || out == NULL) {
        return fail_no_place(error, in == NULL ? "in" : "out");
    }
    return make_checked(descriptor, own, in, out, error);
}

portls_status descriptor_ports_of_socket(portls_descriptor socket, portls_input_port **in,
                                         portls_output_port **out, portls_error *error) {
    return make(socket, OS_SOCKET, true, true, in, out, error);
}

void descriptor_ports_limit_linger(portls_input_port *in, int64_t deadline) {
    ports_of_input(in)->linger_limit = deadline;
}

/* ---- busy polling ---- */

enum { LONGEST_BUSY_POLL = 1000000 }; /* microseconds */

portls_status portls_set_busy_poll(portls_input_port *in, unsigned int microseconds,
                                   portls_error *error) {
    error_begin(error);
    portls_status status = input_port_check(in, error);
    if (status != PORTLS_OK) {
        return status;
    }
    if (microseconds > LONGEST_BUSY_POLL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "microseconds is %u, and should be %d (one second) at most", microseconds,
                          (int)LONGEST_BUSY_POLL);
    }
    if (in->class->set_busy_poll == NULL || !in->class->set_busy_poll(in, microseconds)) {
        return error_fail(error, PORTLS_UNSUPPORTED,
                          "the input port is not over a descriptor, and only a descriptor can be "
                          "polled");
    }
    return PORTLS_OK;
}
