/*
 * Windows: the poller. Windows has no descriptor for many sockets, so this is a socket that a
 * thread per poller makes readable. os_poller_look polls the watched sockets directly, so it misses
 * nothing when the thread has not run yet. All pollers share one lock, which is never held while
 * waiting.
 */
#include "core/os/win32/win32.h"

#include <string.h>

#include "core/base/memory.h"

struct watch {
    portls_descriptor descriptor;
    uint8_t wanted;
    void *tag;
};

struct os_poller_state {
    struct os_poller_state *next;
    os_wakeup shown;   /* the poller's descriptor */
    os_wakeup changed; /* ends a wait of the thread */
    bool fired;        /* `shown` is set; the thread waits until it is cleared */
    bool ending;
    CONDITION_VARIABLE woken; /* `fired` or `ending` has changed */
    HANDLE thread;
    struct watch *watches;
    WSAPOLLFD *polled; /* of the same size */
    size_t count, room;
    size_t turn; /* where the next look starts, so that all get a turn when there is room for few
                    tags */
};

static SRWLOCK lock = SRWLOCK_INIT;
static struct os_poller_state *pollers;

static struct os_poller_state *find(portls_descriptor descriptor) {
    struct os_poller_state *state = pollers;
    while (state != NULL && state->shown.readable != descriptor) {
        state = state->next;
    }
    return state;
}

/* ---- looking; the caller holds the lock ---- */

static void show(struct os_poller_state *state, bool something) {
    if (something && !state->fired) {
        state->fired = true;
        os_wakeup_set(&state->shown);
    } else if (!something && state->fired) {
        state->fired = false;
        os_wakeup_clear(&state->shown);
        WakeConditionVariable(&state->woken);
    }
}

/* Updates the descriptor and returns the tags of at most `room` ready sockets. A poller may watch
   another. */
static size_t look(struct os_poller_state *state, void **tags, size_t room) {
    size_t taken = 0;
    bool something = false;
    for (size_t i = 0; i < state->count; i++) {
        struct os_poller_state *inner = find(state->watches[i].descriptor);
        if (inner != NULL) {
            (void)look(inner, NULL, 0);
        }
        state->polled[i] = poll_question(state->watches[i].descriptor, state->watches[i].wanted);
    }
    /* Fails when no socket is open any more: then nothing is ready, as with epoll. */
    if (state->count > 0 && WSAPoll(state->polled, (ULONG)state->count, 0) > 0) {
        size_t begin = state->turn < state->count ? state->turn : 0;
        for (size_t i = 0; i < state->count; i++) {
            size_t place = (begin + i) % state->count;
            if (poll_answer(&state->polled[place], state->watches[place].wanted) != 0) {
                something = true;
                if (taken < room) {
                    tags[taken++] = state->watches[place].tag;
                    state->turn = place + 1;
                }
            }
        }
    }
    show(state, something);
    return taken;
}

void poller_look_again(portls_descriptor descriptor) {
    AcquireSRWLockExclusive(&lock);
    struct os_poller_state *state = find(descriptor);
    if (state != NULL) {
        (void)look(state, NULL, 0);
    }
    ReleaseSRWLockExclusive(&lock);
}

int os_poller_look(const os_poller *poller, void **tags, size_t room, size_t *count) {
    AcquireSRWLockExclusive(&lock);
    *count = look(poller->state, tags, room);
    ReleaseSRWLockExclusive(&lock);
    return 0;
}

/* ---- the thread ---- */

/* Fills what the thread polls: `changed` and all watched sockets. Returns 0 without memory. */
static ULONG questions(const struct os_poller_state *state, WSAPOLLFD **polled, size_t *room) {
    if (*room <= state->count) {
        memory_free(*polled);
        *room = state->room + 1;
        *polled = memory_allocate(*room * sizeof **polled);
        if (*polled == NULL) {
            *room = 0;
            return 0;
        }
    }
    (*polled)[0] = poll_question(state->changed.readable, OS_READABLE);
    for (size_t i = 0; i < state->count; i++) {
        (*polled)[i + 1] = poll_question(state->watches[i].descriptor, state->watches[i].wanted);
    }
    return (ULONG)state->count + 1;
}

static DWORD WINAPI watch(void *argument) {
    enum { PAUSE_MILLISECONDS = 10 };
    struct os_poller_state *state = argument;
    WSAPOLLFD *polled = NULL;
    size_t room = 0;
    AcquireSRWLockExclusive(&lock);
    while (!state->ending) {
        if (state->fired) {
            (void)SleepConditionVariableSRW(&state->woken, &lock, INFINITE, 0);
            continue;
        }
        os_wakeup_clear(&state->changed);
        ULONG count = questions(state, &polled, &room);
        ReleaseSRWLockExclusive(&lock);
        int found = count > 0 ? WSAPoll(polled, count, -1) : -1;
        bool changed = found > 0 && polled[0].revents != 0;
        AcquireSRWLockExclusive(&lock);
        if (!state->ending) {
            (void)look(state, NULL, 0);
        }
        if (!changed && !state->fired && !state->ending) {
            /* No memory, or the peer has closed while only room is wanted. */
            ReleaseSRWLockExclusive(&lock);
            Sleep(PAUSE_MILLISECONDS);
            AcquireSRWLockExclusive(&lock);
        }
    }
    ReleaseSRWLockExclusive(&lock);
    memory_free(polled);
    return 0;
}

/* ---- what is watched; the caller holds the lock ---- */

static int make_room(struct os_poller_state *state) {
    if (state->count < state->room) {
        return 0;
    }
    size_t room = state->room == 0 ? 8 : state->room * 2;
    struct watch *watches = memory_allocate(room * sizeof *watches);
    WSAPOLLFD *polled = memory_allocate(room * sizeof *polled);
    if (watches == NULL || polled == NULL) {
        memory_free(watches);
        memory_free(polled);
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (state->count > 0) {
        memcpy(watches, state->watches, state->count * sizeof *watches);
    }
    memory_free(state->watches);
    memory_free(state->polled);
    state->watches = watches;
    state->polled = polled;
    state->room = room;
    return 0;
}

static int add(struct os_poller_state *state, struct watch added) {
    int type = 0;
    int size = sizeof type;
    if (getsockopt(system_socket(added.descriptor), SOL_SOCKET, SO_TYPE, (char *)&type, &size) !=
        0) {
        return WSAGetLastError();
    }
    int failure = make_room(state);
    if (failure == 0) {
        state->watches[state->count++] = added;
    }
    return failure;
}

static int change(struct os_poller_state *state, struct watch changed) {
    size_t place = 0;
    while (place < state->count && state->watches[place].descriptor != changed.descriptor) {
        place++;
    }
    if (place == state->count) {
        return changed.wanted == 0 ? ERROR_NOT_FOUND : add(state, changed);
    }
    state->watches[place] = changed.wanted == 0 ? state->watches[--state->count] : changed;
    return 0;
}

int os_poller_set(const os_poller *poller, portls_descriptor descriptor, uint8_t before,
                  uint8_t wanted, void *tag) {
    if (before == wanted) {
        return 0;
    }
    AcquireSRWLockExclusive(&lock);
    int failure = change(poller->state, (struct watch){descriptor, wanted, tag});
    if (failure == 0) {
        (void)look(poller->state, NULL, 0);
        os_wakeup_set(&poller->state->changed);
    }
    ReleaseSRWLockExclusive(&lock);
    return failure;
}

/* ---- making and freeing ---- */

static void drop(struct os_poller_state *state) {
    os_wakeup_destroy(&state->shown);
    os_wakeup_destroy(&state->changed);
    memory_free(state->watches);
    memory_free(state->polled);
    memory_free(state);
}

int os_poller_init(os_poller *poller) {
    poller->descriptor = PORTLS_NO_DESCRIPTOR;
    struct os_poller_state *made = memory_zeroed(sizeof *made);
    if (made == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    InitializeConditionVariable(&made->woken);
    made->changed.readable = PORTLS_NO_DESCRIPTOR;
    int failure = os_wakeup_init(&made->shown);
    if (failure == 0) {
        failure = os_wakeup_init(&made->changed);
    }
    if (failure == 0) {
        made->thread = CreateThread(NULL, 0, watch, made, 0, NULL);
        failure = made->thread != NULL ? 0 : (int)GetLastError();
    }
    if (failure != 0) {
        drop(made);
        return failure;
    }
    AcquireSRWLockExclusive(&lock);
    made->next = pollers;
    pollers = made;
    ReleaseSRWLockExclusive(&lock);
    poller->descriptor = made->shown.readable;
    poller->state = made;
    return 0;
}

void os_poller_destroy(os_poller *poller) {
    struct os_poller_state *state = poller->state;
    AcquireSRWLockExclusive(&lock);
    struct os_poller_state **place = &pollers;
    while (*place != state) {
        place = &(*place)->next;
    }
    *place = state->next;
    state->ending = true;
    WakeConditionVariable(&state->woken);
    os_wakeup_set(&state->changed);
    ReleaseSRWLockExclusive(&lock);
    (void)WaitForSingleObject(state->thread, INFINITE);
    (void)CloseHandle(state->thread);
    drop(state);
}

/* There is no fork. */
void os_poller_forget(os_poller *poller) {
    os_poller_destroy(poller);
}
