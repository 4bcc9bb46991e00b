/*
 * A set is freed while another thread closes what is in it, in every order: the test closes the
 * member at each moment at which the thread that frees the set holds no lock. Memory that is freed
 * is overwritten and kept, so that its later use shows. The linker puts the functions below in
 * place of those of core/os.
 */
#include <stddef.h>
#include <stdlib.h>

#include "core/os/os.h"
#include "portls/allocator.h"
#include "sync_set_support.h"

/* ---- the moments ---- */

static unsigned held;      /* locks that are held now */
static unsigned moment;    /* counts down to the moment at which `interrupt` runs; 0: never */
static struct ends *ended; /* closed then */

void __real_os_mutex_lock(os_mutex *mutex);
void __real_os_mutex_unlock(os_mutex *mutex);
void __wrap_os_mutex_lock(os_mutex *mutex);
void __wrap_os_mutex_unlock(os_mutex *mutex);

void __wrap_os_mutex_lock(os_mutex *mutex) {
    __real_os_mutex_lock(mutex);
    held++;
}

void __wrap_os_mutex_unlock(os_mutex *mutex) {
    __real_os_mutex_unlock(mutex);
    held--;
    if (held == 0 && moment > 0 && --moment == 0) {
        close_ends(*ended);
    }
}

/* ---- freed memory ---- */

/* In front of each piece of memory. */
union header {
    struct {
        size_t size;
        union header *next; /* of those that were freed */
    } of;
    max_align_t alignment;
};

static union header *freed;

static void *allocate(void *argument, size_t size) {
    (void)argument;
    union header *made = malloc(sizeof *made + size);
    if (made == NULL) {
        return NULL;
    }
    made->of.size = size;
    return made + 1;
}

static void release(void *argument, void *bytes) {
    enum { POISON = 0xdd };
    (void)argument;
    union header *header = (union header *)bytes - 1;
    memset(bytes, POISON, header->of.size);
    header->of.next = freed;
    freed = header;
}

static void *resize(void *argument, void *old, size_t size) {
    void *made = allocate(argument, size);
    if (made != NULL) {
        size_t before = ((union header *)old - 1)->of.size;
        memcpy(made, old, before < size ? before : size);
        release(argument, old);
    }
    return made;
}

static void set_allocator(void) {
    portls_allocator allocator = {sizeof allocator, allocate, resize, release, NULL};
    REQUIRE_OK(portls_set_allocator(&allocator, NULL));
}

Test(sync_set_free, a_set_may_be_freed_while_what_is_in_it_is_closed, .init = set_allocator,
     .timeout = 60) {
    unsigned moments = 0;
    for (bool interrupted = true; interrupted; moments++) {
        struct ends pipe = make(4), other = make(4);
        portls_sync_set *set = make_set();
        add(set, pipe.in);
        add(set, pipe.out);
        add(set, other.in);
        cr_assert_eq(look(set), 1, "the others are idle, and watch their pipes");
        ended = &pipe;
        moment = moments + 1;
        portls_free_sync_set(set);
        interrupted = moment == 0;
        moment = 0;
        if (!interrupted) {
            close_ends(pipe);
        }
        close_ends(other);
    }
    cr_expect_geq(moments, 4);
}
