/* Breaks: a flag, and a wakeup for the waits that poll. Processes do not share a wakeup, also after
   fork. */
#include <stdatomic.h>

#include "core/base/error.h"
#include "core/base/handle.h"
#include "core/base/memory.h"
#include "core/wait/wait.h"

/*
 * What wakes the waits of one process. fork copies the break's flag, but a wakeup would be shared:
 * a child that set it would wake its parent, whose flag is not set. So the first wait in a child
 * makes another wakeup; until then the child's break is only a flag.
 */
struct process_wakeup {
    os_wakeup wakeup;                 /* readable while the break is set, for pollers */
    uint32_t generation;              /* the process it belongs to */
    struct process_wakeup *inherited; /* without descriptors; kept, as a signal handler may just be
                                         looking at its generation */
};

struct portls_break {
    struct handle handle; /* HANDLE_BREAK */
    atomic_uint set;      /* 0 or 1: not every processor has lock-free atomics of a byte */
    _Atomic(struct process_wakeup *) current;
    struct process_wakeup first; /* of the process that made the break */
};

/* A signal handler may touch it only so. */
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "atomic_uint must be lock-free");
_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "an atomic pointer must be lock-free");

portls_status portls_make_break(portls_break **brk, portls_error *error) {
    error_begin(error);
    if (brk == NULL) {
        return error_fail(error, PORTLS_INVALID_ARGUMENT,
                          "brk is NULL, and should receive the break");
    }
    *brk = NULL;
    portls_break *made = memory_zeroed(sizeof *made);
    if (made == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for a break");
    }
    int failure = os_wakeup_init(&made->first.wakeup);
    if (failure != 0) {
        memory_free(made);
        return error_fail_os(error, PORTLS_OS, failure,
                             "the system gave no descriptor for a break");
    }
    made->handle.kind = HANDLE_BREAK;
    made->first.generation = os_process_generation();
    atomic_init(&made->current, &made->first);
    *brk = made;
    return PORTLS_OK;
}

/*
 * Makes the wakeup agree with the flag, if this process has one. Another thread, or a signal
 * handler that interrupts this one, may do the same after another change of the flag. So each
 * checks the flag again after it has changed the wakeup: the last one has seen the final flag.
 */
static void show(const portls_break *brk) {
    unsigned shown = 0;
    do {
        shown = atomic_load(&brk->set);
        const struct process_wakeup *current = atomic_load(&brk->current);
        if (current->generation != os_process_generation()) {
            return; /* an ancestor's: replace_inherited reads the flag later */
        }
        if (shown != 0) {
            os_wakeup_set(&current->wakeup);
        } else {
            os_wakeup_clear(&current->wakeup);
        }
    } while (atomic_load(&brk->set) != shown);
}

static void change(portls_break *brk, unsigned set) {
    atomic_store(&brk->set, set);
    show(brk);
}

void portls_set_break(portls_break *brk) {
    if (handle_is(brk, HANDLE_BREAK)) {
        change(brk, 1);
    }
}

void portls_clear_break(portls_break *brk) {
    if (handle_is(brk, HANDLE_BREAK)) {
        change(brk, 0);
    }
}

bool portls_break_is_set(const portls_break *brk) {
    return handle_is(brk, HANDLE_BREAK) && atomic_load(&brk->set) != 0;
}

void portls_free_break(portls_break *brk) {
    if (!handle_is(brk, HANDLE_BREAK)) {
        return;
    }
    brk->handle.kind = HANDLE_FREED;
    struct process_wakeup *current = atomic_load(&brk->current);
    os_wakeup_destroy(&current->wakeup);
    while (current != &brk->first) {
        struct process_wakeup *inherited = current->inherited;
        memory_free(current);
        current = inherited;
    }
    memory_free(brk);
}

/* Replaces an inherited wakeup by one of this process. */
static portls_status replace_inherited(portls_break *brk, struct process_wakeup *inherited,
                                       portls_error *error) {
    struct process_wakeup *made = memory_zeroed(sizeof *made);
    if (made == NULL) {
        return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for a break after fork");
    }
    int failure = os_wakeup_init(&made->wakeup);
    if (failure != 0) {
        memory_free(made);
        return error_fail_os(error, PORTLS_OS, failure,
                             "the system gave no descriptor for a break after fork");
    }
    made->generation = os_process_generation();
    made->inherited = inherited;
    if (atomic_compare_exchange_strong(&brk->current, &inherited, made)) {
        os_wakeup_destroy(&made->inherited->wakeup); /* this process's copy, which nothing uses */
        show(brk);
    } else { /* another thread was faster */
        os_wakeup_destroy(&made->wakeup);
        memory_free(made);
    }
    return PORTLS_OK;
}

portls_status break_descriptor(portls_break *brk, portls_descriptor *descriptor,
                               portls_error *error) {
    portls_status status = PORTLS_OK;
    struct process_wakeup *current = atomic_load(&brk->current);
    if (current->generation != os_process_generation()) {
        status = replace_inherited(brk, current, error);
        current = atomic_load(&brk->current);
    }
    *descriptor = current->wakeup.readable;
    return status;
}

void break_settle(const portls_break *brk) {
    show(brk);
}
