/* Connections that a sync set closes in the background: members whose check is the next step of
   their close, and which no wait reports. */
#include "core/base/error.h"
#include "core/port/port.h"
#include "core/sync/sync_set.h"

/* As long as the blocking calls wait: to send what is pending, and for its delivery. */
enum { LINGER_MILLISECONDS = 2 * CLOSE_MILLISECONDS, LINGER_LIMIT = 256 };

static bool is_input(const void *port) {
    return handle_is(port, HANDLE_INPUT_PORT);
}

static void end_port(void *port, enum port_end end) {
    ports_end(is_input(port) ? port : NULL, is_input(port) ? NULL : port, end);
}

/* Closes what can be closed without waiting. Returns whether the port is still open. */
static bool try_close(void *port) {
    /* A failure has closed it all the same, and on_error has it. */
    return port_wants(is_input(port) ? portls_close_input_port_avail(port, NULL)
                                     : portls_close_output_port_avail(port, NULL));
}

bool sync_linger_step(struct sync_member *member) {
    if (member->linger_until <= clock_now()) {
        end_port(member->source, PORT_ABANDON);
        return false;
    }
    return try_close(member->source);
}

/* Ends the oldest connections until `most` are left. */
static void end_oldest(portls_sync_set *set, size_t most, enum port_end end) {
    for (;;) {
        void *port = NULL;
        os_mutex_lock(&set->lock);
        if (set->lingering_count > most) {
            port = sync_member_of_lingering(set->lingering.next)->source;
        }
        os_mutex_unlock(&set->lock);
        if (port == NULL) {
            return;
        }
        end_port(port, end);
    }
}

void sync_linger_trim(portls_sync_set *set) {
    bool owns = sync_set_owns_poller(set);
    end_oldest(set, owns ? LINGER_LIMIT : 0, owns ? PORT_ABANDON : PORT_FORGET);
}

void sync_linger_abandon(portls_sync_set *set) {
    end_oldest(set, 0, PORT_ABANDON);
}

/* Closes a port, now or in the waits of the set. */
static portls_status linger(portls_sync_set *set, void *port, portls_error *error) {
    if (port == NULL || !try_close(port)) {
        return PORTLS_OK;
    }
    sync_set_leave(port);
    portls_status status = sync_set_add(set, port, NULL, clock_after(LINGER_MILLISECONDS), error);
    if (status != PORTLS_OK) {
        end_port(port, PORT_ABANDON);
    }
    return status;
}

/* Checks that a handle is NULL or a port of that kind that can be closed. */
static portls_status check(const void *port, enum handle_kind kind, const char *name,
                           portls_error *error) {
    portls_status status = port == NULL ? PORTLS_OK : port_check(port, kind, error);
    if (status != PORTLS_OK) {
        error_prefix(error, name);
    }
    return status;
}

portls_status portls_sync_set_linger(portls_sync_set *set, portls_input_port *in,
                                     portls_output_port *out, portls_error *error) {
    error_begin(error);
    portls_status status = sync_set_check(set, error);
    if (status == PORTLS_OK) {
        status = check(in, HANDLE_INPUT_PORT, "in", error);
    }
    if (status == PORTLS_OK) {
        status = check(out, HANDLE_OUTPUT_PORT, "out", error);
    }
    if (status != PORTLS_OK) {
        return status;
    }
    sync_linger_trim(set);
    status = sync_set_own_poller(set, error);
    if (status != PORTLS_OK) {
        portls_abandon_ports(in, out);
        return status;
    }
    status = linger(set, in, error);
    portls_status second = linger(set, out, status == PORTLS_OK ? error : NULL);
    return status != PORTLS_OK ? status : second;
}
