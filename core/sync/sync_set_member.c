/* Members of a sync set: how sources join and leave, and how the set hears of what is done to
   them. */
#include "core/base/error.h"
#include "core/net/listener_state.h"
#include "core/base/memory.h"
#include "core/stream/stream.h"
#include "core/sync/sync_set.h"

/* A source's side of the sets: its own membership, and the members that stand on it. */
struct sync_side {
    atomic_uint references;     /* the source's, and that of a set which is being freed */
    os_mutex lock;              /* guards everything below */
    struct sync_member *member; /* the source's own, or NULL */
    struct sync_link *above;
};

/* That a member stands on a source: an SSL port on the ports that its stream wraps, which their
   owner may close while it does. */
struct sync_link {
    struct sync_link *next;     /* of the same side */
    struct sync_link *next_own; /* of the same member */
    struct sync_side *side;
    struct sync_member *member;
};

/* ---- lists ---- */

void sync_list_append(enum sync_list list, struct sync_member *member) {
    portls_sync_set *set = member->set;
    if (member->place[list].there) {
        return;
    }
    member->place[list].there = true;
    member->place[list].previous = set->list[list].last;
    member->place[list].next = NULL;
    if (set->list[list].last != NULL) {
        set->list[list].last->place[list].next = member;
    } else {
        set->list[list].first = member;
    }
    set->list[list].last = member;
    set->list[list].count++;
}

void sync_list_remove(enum sync_list list, struct sync_member *member) {
    portls_sync_set *set = member->set;
    if (!member->place[list].there) {
        return;
    }
    struct sync_member *previous = member->place[list].previous;
    struct sync_member *next = member->place[list].next;
    if (previous != NULL) {
        previous->place[list].next = next;
    } else {
        set->list[list].first = next;
    }
    if (next != NULL) {
        next->place[list].previous = previous;
    } else {
        set->list[list].last = previous;
    }
    member->place[list].there = false;
    set->list[list].count--;
}

void sync_member_queue(struct sync_member *member) {
    portls_sync_set *set = member->set;
    sync_list_append(SYNC_QUEUE, member);
    if (set->asleep && !set->woken) {
        set->woken = true;
        os_wakeup_set(&set->wakeup);
    }
}

/* ---- sides ---- */

/* The place of a source's side. */
static sync_side_place *place_of(void *source) {
    if (handle_is(source, HANDLE_LISTENER)) {
        return &((portls_listener *)source)->side;
    }
    if (handle_is(source, HANDLE_INPUT_PORT)) {
        return &((portls_input_port *)source)->base.side;
    }
    return &((portls_output_port *)source)->base.side;
}

void sync_side_unhold(struct sync_side *side) {
    if (atomic_fetch_sub(&side->references, 1) == 1) {
        os_mutex_destroy(&side->lock);
        memory_free(side);
    }
}

/* The source's side, made if need be; NULL: no memory. */
static struct sync_side *side_at(sync_side_place *place) {
    struct sync_side *side = atomic_load_explicit(place, memory_order_acquire);
    if (side != NULL) {
        return side;
    }
    struct sync_side *made = memory_zeroed(sizeof *made);
    if (made == NULL || !os_mutex_init(&made->lock)) {
        memory_free(made);
        return NULL;
    }
    atomic_init(&made->references, 1);
    /* Both ports of a connection may be added at once, and share what they stand on. */
    if (!atomic_compare_exchange_strong(place, &side, made)) {
        sync_side_unhold(made);
        return side;
    }
    return made;
}

void sync_side_touched(struct sync_side *side) {
    os_mutex_lock(&side->lock);
    if (side->member != NULL) {
        portls_sync_set *set = side->member->set;
        os_mutex_lock(&set->lock);
        sync_member_queue(side->member);
        os_mutex_unlock(&set->lock);
    }
    os_mutex_unlock(&side->lock);
}

/* ---- what a member stands on ---- */

static bool link_to(struct sync_member *member, sync_side_place *place) {
    struct sync_side *side = side_at(place);
    struct sync_link *link = side != NULL ? memory_allocate(sizeof *link) : NULL;
    if (link == NULL) {
        return false;
    }
    *link = (struct sync_link){NULL, member->below, side, member};
    member->below = link;
    os_mutex_lock(&side->lock);
    link->next = side->above;
    side->above = link;
    os_mutex_unlock(&side->lock);
    return true;
}

/* Links a member to all that its stream stands on, unless nobody else can get at that. */
static bool link_below(struct sync_member *member, const struct stream *stream) {
    while (stream != NULL && !stream->network) {
        portls_input_port *in = stream->transport.in;
        portls_output_port *out = stream->transport.out;
        if (!link_to(member, &in->base.side) || !link_to(member, &out->base.side)) {
            return false;
        }
        const struct stream *next = stream_of(in);
        const struct stream *other = stream_of(out);
        if (other != next && !link_below(member, other)) {
            return false;
        }
        stream = next;
    }
    return true;
}

static void unlink_below(struct sync_member *member) {
    while (member->below != NULL) {
        struct sync_link *link = member->below;
        member->below = link->next_own;
        os_mutex_lock(&link->side->lock);
        struct sync_link **place = &link->side->above;
        while (*place != link) {
            place = &(*place)->next;
        }
        *place = link->next;
        os_mutex_unlock(&link->side->lock);
        memory_free(link);
    }
}

/* ---- joining and leaving ---- */

static void free_member(struct sync_member *member) {
    sync_member_end_watch(member);
    sync_set_unhold(member->set);
    memory_free(member);
}

/* Takes the member of a side out of its set. The caller holds the side's lock, and frees the member
   without it. */
static struct sync_member *detach(struct sync_side *side) {
    struct sync_member *member = side->member;
    portls_sync_set *set = member->set;
    unlink_below(member);
    os_mutex_lock(&set->lock);
    sync_member_withdraw(member);
    for (int list = 0; list < SYNC_LISTS; list++) {
        sync_list_remove((enum sync_list)list, member);
    }
    if (set->looked_at == member) {
        set->looked_at = NULL;
    }
    os_mutex_unlock(&set->lock);
    side->member = NULL;
    return member;
}

void sync_side_left(struct sync_side *side) {
    os_mutex_lock(&side->lock);
    struct sync_member *member = side->member != NULL ? detach(side) : NULL;
    for (struct sync_link *link = side->above; link != NULL; link = link->next) {
        portls_sync_set *set = link->member->set;
        os_mutex_lock(&set->lock);
        sync_member_withdraw(link->member);
        sync_member_queue(link->member);
        os_mutex_unlock(&set->lock);
    }
    os_mutex_unlock(&side->lock);
    if (member != NULL) {
        free_member(member);
    }
}

static portls_status fail_memory(portls_error *error) {
    return error_fail(error, PORTLS_NO_MEMORY, "there is no memory for one more source");
}

portls_status sync_set_join(portls_sync_set *set, void *source, void *data, portls_error *error) {
    struct sync_side *side = side_at(place_of(source));
    struct sync_member *member = side != NULL ? memory_zeroed(sizeof *member) : NULL;
    if (member == NULL) {
        return fail_memory(error);
    }
    member->deadline = PORTLS_NO_DEADLINE;
    member->set = set;
    member->side = side;
    member->source = source;
    member->data = data;
    atomic_fetch_add(&set->references, 1);
    portls_status status = PORTLS_OK;
    os_mutex_lock(&side->lock);
    if (side->member != NULL) {
        status = error_fail(error, PORTLS_IN_USE, "the source is in %s sync set already",
                            side->member->set == set ? "this" : "another");
    } else if (!link_below(member, stream_of(source))) {
        unlink_below(member);
        status = fail_memory(error);
    } else {
        side->member = member;
        os_mutex_lock(&set->lock);
        sync_list_append(SYNC_ALL, member);
        sync_member_queue(member);
        os_mutex_unlock(&set->lock);
    }
    os_mutex_unlock(&side->lock);
    if (status != PORTLS_OK) {
        free_member(member);
    }
    return status;
}

bool sync_set_part(portls_sync_set *set, void *source) {
    struct sync_side *side = atomic_load_explicit(place_of(source), memory_order_acquire);
    if (side == NULL) {
        return false;
    }
    os_mutex_lock(&side->lock);
    bool is_member = side->member != NULL && side->member->set == set;
    struct sync_member *member = is_member ? detach(side) : NULL;
    os_mutex_unlock(&side->lock);
    if (member != NULL) {
        free_member(member);
    }
    return is_member;
}

void sync_set_part_all(portls_sync_set *set) {
    for (;;) {
        os_mutex_lock(&set->lock);
        struct sync_member *member = set->list[SYNC_ALL].first;
        if (member == NULL) {
            os_mutex_unlock(&set->lock);
            return;
        }
        /* Another thread may be closing the source: its side then has let go of the member, or is
           about to. */
        struct sync_side *side = member->side;
        atomic_fetch_add(&side->references, 1);
        os_mutex_unlock(&set->lock);
        os_mutex_lock(&side->lock);
        struct sync_member *mine = side->member == member ? detach(side) : NULL;
        os_mutex_unlock(&side->lock);
        sync_side_unhold(side);
        if (mine != NULL) {
            free_member(mine);
        }
    }
}

void sync_set_unhold(portls_sync_set *set) {
    if (atomic_fetch_sub(&set->references, 1) == 1) {
        os_wakeup_destroy(&set->wakeup);
        os_poller_destroy(&set->poller);
        os_mutex_destroy(&set->lock);
        memory_free((void *)set->buckets);
        memory_free(set);
    }
}
