/* POSIX: resolution of names that can be abandoned. */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE

#include "core/os/os.h"
#include "core/os/poll.h"
#include "core/os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/memory.h"

#include <pthread.h>
#include <signal.h>

enum { RESOLUTION_ADDRESSES = 16 };

/* The second one of the finished thread and the abandoning caller frees it. */
enum resolution_state { UNDER_WAY, DONE, GIVEN_UP };

struct os_resolution {
    atomic_int state;
    bool has_thread;
    uint32_t generation; /* the process that has the thread */
    pthread_t thread;
    os_wakeup wakeup; /* set when done; without descriptors when it was done at once */
    int port_no;
    int result;
    const char *reason;
    size_t count;
    struct os_address addresses[RESOLUTION_ADDRESSES];
    char host[]; /* a copy, since the caller may return before it is used */
};

static void destroy(struct os_resolution *resolution) {
    if (resolution->wakeup.readable != PORTLS_NO_DESCRIPTOR) {
        os_wakeup_destroy(&resolution->wakeup);
    }
    memory_free(resolution);
}

static void look_up(struct os_resolution *resolution) {
    resolution->result =
        os_resolver_current()(resolution->host, resolution->port_no, false, resolution->addresses,
                              RESOLUTION_ADDRESSES, &resolution->count, &resolution->reason);
}

/* Marks it as done. Returns whether the caller still wants the result. */
static bool tell_done(struct os_resolution *resolution) {
    int under_way = UNDER_WAY;
    return atomic_compare_exchange_strong(&resolution->state, &under_way, DONE);
}

static void *run(void *argument) {
    struct os_resolution *resolution = argument;
    look_up(resolution);
    if (tell_done(resolution)) {
        os_wakeup_set(&resolution->wakeup); /* the caller joins before it frees */
    } else {
        destroy(resolution);
    }
    return NULL;
}

/* Starts a thread that handles no signals. */
static int start(struct os_resolution *resolution) {
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&resolution->thread, NULL, run, resolution);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    resolution->has_thread = failure == 0;
    return failure;
}

static bool is_numeric(const char *host) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

int os_resolution_begin(const char *host, int port_no, struct os_resolution **resolution) {
    size_t length = strlen(host);
    struct os_resolution *made = memory_zeroed(sizeof *made + length + 1);
    if (made == NULL) {
        return ENOMEM;
    }
    memcpy(made->host, host, length + 1);
    made->port_no = port_no;
    made->generation = os_process_generation();
    atomic_init(&made->state, UNDER_WAY);
    made->wakeup = (os_wakeup){PORTLS_NO_DESCRIPTOR, PORTLS_NO_DESCRIPTOR};
    int failure = 0;
    if (is_numeric(host)) {
        look_up(made);
        (void)tell_done(made);
    } else {
        failure = os_wakeup_init(&made->wakeup);
        failure = failure == 0 ? start(made) : failure;
    }
    if (failure != 0) {
        destroy(made);
        return failure;
    }
    *resolution = made;
    return 0;
}

portls_descriptor os_resolution_descriptor(const struct os_resolution *resolution) {
    return resolution->wakeup.readable;
}

int os_resolution_result(struct os_resolution *resolution, struct os_address *addresses,
                         size_t limit, size_t *count, const char **reason) {
    if (atomic_load(&resolution->state) != DONE) {
        return OS_WOULD_BLOCK;
    }
    *count = resolution->count < limit ? resolution->count : limit;
    *reason = resolution->reason;
    memcpy(addresses, resolution->addresses, *count * sizeof *addresses);
    return resolution->result;
}

void os_resolution_end(struct os_resolution *resolution) {
    if (resolution == NULL) {
        return;
    }
    int under_way = UNDER_WAY;
    /* From then on the thread may free it, so its number is read before. */
    bool has_thread = resolution->has_thread;
    pthread_t thread = resolution->thread;
    if (resolution->generation != os_process_generation()) {
        destroy(resolution); /* the thread stayed in the parent */
        return;
    }
    if (atomic_compare_exchange_strong(&resolution->state, &under_way, GIVEN_UP)) {
        (void)pthread_detach(thread);
        return;
    }
    if (has_thread) {
        int cancel = os_hold_cancel();
        (void)pthread_join(thread, NULL); /* the thread is about to end */
        os_restore_cancel(cancel);
    }
    destroy(resolution);
}
