/* What a listener promises, whatever its peers do (manual, section 2: ssl-accept; design, section
   7). */
#define _GNU_SOURCE

#include <pthread.h>

#include "core/net/accept.h"
#include "core/stream/transport.h"
#include "tests/unit/accept_support.h"

static size_t count_incoming(const portls_listener *listener) {
    return listener_handshakes(listener) + listener->finished.count + listener->failed.count;
}

static portls_status accept_at_once(portls_listener *listener, portls_error *error) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    return portls_accept_avail(listener, &in, &out, error);
}

Test(accept, peers_that_no_call_accepts_do_not_pile_up) {
    struct events events;
    portls_listener *listener = listen_here(&events);
    enum { PEERS = 300 };
    int peers[PEERS];
    size_t most = 0;
    size_t made = 0;
    for (int i = 0; i < PEERS; i++) {
        /* Beyond the system's own queue a connect would wait. */
        if (i - (int)count_incoming(listener) - (int)events.failed < 90) {
            peers[i] = connect_plainly(listener);
            say_no_tls(peers[i]);
            made++;
        } else {
            peers[i] = -1;
        }
        (void)look(listener, 0);
        most = count_incoming(listener) > most ? count_incoming(listener) : most;
    }
    cr_expect_leq(most, (size_t)2 * LISTENER_FINISHED);
    while (events.failed < made) {
        (void)look(listener, 10);
    }
    cr_expect_eq(events.failure.status, PORTLS_PROTOCOL, "%s", events.failure.message);
    for (int i = 0; i < PEERS; i++) {
        if (peers[i] >= 0) {
            (void)close(peers[i]);
        }
    }
    portls_close(listener);
}

Test(accept, a_failed_connection_ends_no_call_and_is_reported_with_its_peer) {
    struct events events;
    portls_listener *listener = listen_here(&events);
    int peer = connect_plainly(listener);
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    cr_assert_eq(getsockname(peer, (struct sockaddr *)&name, &size), 0);
    say_no_tls(peer);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    cr_expect_eq(portls_accept_until(listener, portls_deadline_after(300), NULL, &in, &out, &error),
                 PORTLS_DEADLINE, "%s", error.message);
    cr_assert_eq(events.failed, 1);
    cr_expect_eq(events.failure.status, PORTLS_PROTOCOL, "%s", events.failure.message);
    cr_expect_eq(events.failure.error_class, PORTLS_CLASS_NETWORK);
    cr_expect_str_eq(events.peer.host, "127.0.0.1");
    cr_expect_eq(events.peer.port_no, ntohs(name.sin_port));
    (void)close(peer);
    portls_close(listener);
}

Test(accept, a_listener_without_a_certificate_says_so_before_a_peer_comes) {
    portls_listener *listener = NULL;
    portls_error error;
    cr_assert_eq(portls_listen(0, 1, true, "127.0.0.1",
                               portls_protocol_context(PORTLS_SERVER, PORTLS_AUTO), &listener,
                               &error),
                 PORTLS_OK, "%s", error.message);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    cr_expect_eq(portls_accept(listener, &in, &out, &error), PORTLS_NO_CERTIFICATE, "%s",
                 error.message);
    cr_expect_eq(portls_accept_avail(listener, &in, &out, &error), PORTLS_NO_CERTIFICATE);
    cr_expect(look(listener, 0), "accept would not wait");
    portls_close(listener);
}

/* An event loop asks while another thread leads. */
Test(accept, the_interest_of_a_listener_is_the_descriptor_of_its_poller) {
    portls_listener *listener = listen_here(NULL);
    listener->has_leader = true;
    listener->leader_deadline = NO_DEADLINE;
    portls_interest interest;
    portls_error error;
    cr_assert_eq(portls_interest_of(portls_source_listener(listener), &interest, &error), PORTLS_OK,
                 "%s", error.message);
    cr_assert_eq(interest.count, 1);
    cr_assert_eq(interest.wanted[0].descriptor, listener->poller.descriptor);
    cr_assert_eq(portls_descriptor_of(portls_source_listener(listener)),
                 listener->poller.descriptor);
    cr_assert(listener->has_leader);
    portls_close(listener);
}

Test(accept, more_silent_peers_than_the_limit_drop_the_oldest) {
    struct events events;
    portls_listener *listener = listen_here(&events);
    enum { PEERS = LISTENER_HANDSHAKES + 44 };
    static int peers[PEERS];
    for (int i = 0; i < PEERS; i++) {
        peers[i] = connect_plainly(listener);
        (void)look(listener, 0);
    }
    cr_expect_eq(accept_at_once(listener, NULL), PORTLS_WANT_READ);
    cr_expect_eq(events.failed, 44, "%zu", events.failed);
    cr_expect_eq(events.failure.status, PORTLS_HANDSHAKE, "%s", events.failure.message);
    cr_expect_eq(count_incoming(listener), LISTENER_HANDSHAKES, "%zu", count_incoming(listener));
    int last = connect_plainly(listener);
    say_no_tls(last);
    while (events.failed < 46) {
        (void)look(listener, 10);
    }
    cr_expect_eq(events.failure.status, PORTLS_PROTOCOL, "%s", events.failure.message);
    (void)close(last);
    for (int i = 0; i < PEERS; i++) {
        (void)close(peers[i]);
    }
    portls_close(listener);
}

/* ---- threads that sleep while another one's call leaves work ---- */

/* Stands for a leader and a follower, both asleep. */
static void put_to_sleep(portls_listener *listener, struct follower *follower) {
    cr_assert_eq(os_wakeup_init_inside(&follower->wakeup), 0);
    listener->has_leader = true;
    listener->leader_deadline = NO_DEADLINE;
    listener->followers = follower;
}

static void expect_woken(portls_listener *listener, struct follower *follower) {
    cr_expect(follower->woken);
    listener->has_leader = false;
    listener->followers = NULL;
    os_wakeup_destroy(&follower->wakeup);
}

/* A peer of the system's queue may be gone already. */
Test(accept, a_stop_drops_no_handshake_for_the_connections_that_it_takes) {
    struct events events;
    portls_listener *listener = listen_here(&events);
    cr_assert_eq(portls_set_handshake_limits(listener, 10000, 1, NULL), PORTLS_OK);
    int first = connect_plainly(listener);
    while (listener_handshakes(listener) == 0) {
        cr_assert_eq(accept_at_once(listener, NULL), PORTLS_WANT_READ);
    }
    int second = connect_plainly(listener);
    cr_assert_eq(portls_stop(listener, NULL), PORTLS_OK);
    cr_expect_eq(listener->failed.count, 0);
    cr_expect_eq(listener_handshakes(listener), 2);
    (void)close(first);
    (void)close(second);
    portls_close(listener);
}

/* ---- a peer whose handshake always has more to do ---- */

static const struct backend *real;
static struct backend flooded_backend;
static struct backend_session *flooded; /* the first session, and its transport */
static struct transport *flooded_transport;
static size_t flooded_steps;

static portls_status note_session(struct backend_context *context,
                                  const struct backend_session_options *options,
                                  struct backend_transport *transport,
                                  struct backend_session **session,
                                  struct backend_failure *failure) {
    portls_status status = real->session_new(context, options, transport, session, failure);
    if (flooded == NULL) {
        flooded = *session;
        flooded_transport = (struct transport *)(void *)transport;
    }
    return status;
}

static portls_status take_a_flood(struct backend_session *session,
                                  struct backend_failure *failure) {
    if (session != flooded) {
        return real->handshake(session, failure);
    }
    flooded_steps++;
    flooded_transport->step_received = TRANSPORT_STEP_LIMIT;
    return PORTLS_WANT_READ;
}

/* Accepts, without a connection to come, until so many have failed. */
static void accept_until_failed(portls_listener *listener, const struct events *events,
                                size_t wanted) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    while (events->failed < wanted) {
        cr_assert_eq(
            portls_accept_until(listener, portls_deadline_after(10), NULL, &in, &out, NULL),
            PORTLS_DEADLINE);
    }
    cr_expect_eq(events->failed, wanted);
}

Test(accept, a_handshake_without_an_end_delays_no_other_and_no_call, .timeout = 60) {
    struct events events;
    portls_listener *listener = listen_here(&events);
    struct snapshot *snapshot = listener->context->snapshot;
    real = snapshot->backend;
    flooded_backend = *real;
    flooded_backend.session_new = note_session;
    flooded_backend.handshake = take_a_flood;
    snapshot->backend = &flooded_backend;
    int flooding = connect_plainly(listener);
    say_no_tls(flooding);
    while (flooded_steps == 0) {
        cr_assert_eq(accept_at_once(listener, NULL), PORTLS_WANT_READ);
    }
    for (size_t calls = 1; calls < 10; calls++) {
        cr_expect_eq(flooded_steps, calls, "%zu steps in %zu calls", flooded_steps, calls);
        cr_assert_eq(accept_at_once(listener, NULL), PORTLS_WANT_READ);
    }
    struct follower follower = {.woken = false};
    put_to_sleep(listener, &follower);
    (void)look(listener, 0);
    expect_woken(listener, &follower);
    int other = connect_plainly(listener);
    say_no_tls(other);
    accept_until_failed(listener, &events, 1);
    cr_assert_eq(portls_set_handshake_limits(listener, 10000, 1, NULL), PORTLS_OK);
    int third = connect_plainly(listener);
    accept_until_failed(listener, &events, 2);
    cr_expect_eq(events.failure.status, PORTLS_HANDSHAKE, "%s", events.failure.message);
    (void)close(flooding);
    (void)close(other);
    (void)close(third);
    portls_close(listener);
}

/* ---- several threads ---- */

enum { THREADS = 2 };

static pthread_barrier_t meeting;
static struct backend meeting_backend;
static _Thread_local bool has_met;

/* The handshake of a backend in which two must be under way at once. */
static portls_status meet(struct backend_session *session, struct backend_failure *failure) {
    if (!has_met) {
        has_met = true;
        (void)pthread_barrier_wait(&meeting);
    }
    return real->handshake(session, failure);
}

static void *accept_one(void *argument) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    portls_error error;
    portls_status status = portls_accept(argument, &in, &out, &error);
    if (status == PORTLS_OK) {
        portls_close_ports(in, out, NULL);
    }
    return (void *)(intptr_t)status;
}

static void *connect_one(void *argument) {
    portls_address address;
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    if (portls_addresses(portls_source_listener(argument), &address, NULL, NULL) == PORTLS_OK &&
        portls_connect("127.0.0.1", address.port_no,
                       portls_protocol_context(PORTLS_CLIENT, PORTLS_AUTO), &in, &out,
                       NULL) == PORTLS_OK) {
        portls_close_ports(in, out, NULL);
    }
    return NULL;
}

typedef portls_status handshake_function(struct backend_session *, struct backend_failure *);
typedef portls_status session_function(struct backend_context *,
                                       const struct backend_session_options *,
                                       struct backend_transport *, struct backend_session **,
                                       struct backend_failure *);

/* Has THREADS threads accept a connection each, by a backend that has one of the functions. */
static void accept_with_meeting_backend(handshake_function *handshake, session_function *session) {
    portls_listener *listener = listen_here(NULL);
    struct snapshot *snapshot = listener->context->snapshot;
    real = snapshot->backend;
    meeting_backend = *real;
    meeting_backend.handshake = handshake != NULL ? handshake : real->handshake;
    meeting_backend.session_new = session != NULL ? session : real->session_new;
    snapshot->backend = &meeting_backend;
    cr_assert_eq(pthread_barrier_init(&meeting, NULL, THREADS), 0);
    pthread_t accepting[THREADS];
    pthread_t connecting[THREADS];
    for (int i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&accepting[i], NULL, accept_one, listener), 0);
        cr_assert_eq(pthread_create(&connecting[i], NULL, connect_one, listener), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *status = NULL;
        cr_assert_eq(pthread_join(accepting[i], &status), 0);
        cr_expect_eq((portls_status)(intptr_t)status, PORTLS_OK);
        cr_assert_eq(pthread_join(connecting[i], NULL), 0);
    }
    snapshot->backend = real;
    portls_close(listener);
}

/* One handshake alone would wait at the barrier for ever. */
Test(accept, handshakes_run_in_as_many_threads_as_accept, .timeout = 60) {
    accept_with_meeting_backend(meet, NULL);
}

/* Creates a session as soon as another thread does, too. */
static portls_status meet_before_session(struct backend_context *context,
                                         const struct backend_session_options *options,
                                         struct backend_transport *transport,
                                         struct backend_session **session,
                                         struct backend_failure *failure) {
    if (!has_met) {
        has_met = true;
        (void)pthread_barrier_wait(&meeting);
    }
    return real->session_new(context, options, transport, session, failure);
}

/* The listener's lock would keep the second one waiting. */
Test(accept, sessions_are_made_in_as_many_threads_as_accept, .timeout = 60) {
    accept_with_meeting_backend(NULL, meet_before_session);
}

/* A thread that only waits sleeps until what was due when it began. */
Test(accept, a_thread_in_sync_learns_of_a_deadline_that_another_one_has_set, .timeout = 60) {
    portls_listener *listener = listen_here(NULL);
    struct wait_set asleep;
    wait_set_init(&asleep);
    listener_begin_wait(listener, &asleep);
    cr_assert_eq(asleep.deadline, NO_DEADLINE);
    int peer = connect_plainly(listener);
    while (count_incoming(listener) == 0) {
        cr_assert_not(look(listener, 0)); /* the other thread, which ends with this */
    }
    struct wait_limit limit = {clock_after(2000), NULL};
    cr_expect_eq(wait_set_wait(&asleep, &limit, NULL), PORTLS_OK, "the handshake may last");
    wait_set_destroy(&asleep);
    wait_set_init(&asleep);
    listener_begin_wait(listener, &asleep);
    cr_expect_lt(asleep.deadline, NO_DEADLINE);
    wait_set_destroy(&asleep);
    (void)close(peer);
    portls_close(listener);
}

static size_t count_followers(portls_listener *listener) {
    size_t count = 0;
    listener_lock(listener);
    for (const struct follower *f = listener->followers; f != NULL; f = f->next) {
        count++;
    }
    count += listener->has_leader ? 100 : 0;
    listener_unlock(listener);
    return count;
}

/* The threads that follow here only have a wakeup, so that none takes the lead from this one. */
Test(accept, an_event_wakes_one_of_the_threads_that_follow, .timeout = 60) {
    enum { FOLLOWERS = 16, EVENTS = 8 /* more than a handshake has */ };
    struct follower followers[FOLLOWERS] = {{.woken = false}};
    portls_listener *listener = listen_here(NULL);
    for (int i = 0; i < FOLLOWERS; i++) {
        cr_assert_eq(os_wakeup_init(&followers[i].wakeup), 0);
        followers[i].next = listener->followers;
        listener->followers = &followers[i];
    }
    pthread_t connecting;
    cr_assert_eq(pthread_create(&connecting, NULL, connect_one, listener), 0);
    cr_expect_eq((portls_status)(intptr_t)accept_one(listener), PORTLS_OK);
    cr_assert_eq(pthread_join(connecting, NULL), 0);
    size_t woken = 0;
    for (int i = 0; i < FOLLOWERS; i++) {
        woken += followers[i].woken;
        os_wakeup_destroy(&followers[i].wakeup);
    }
    cr_expect(woken > 0 && woken <= EVENTS, "%zu threads were woken", woken);
    listener->followers = NULL;
    portls_close(listener);
}

/* One thread takes the connection, and another one of those left leads. */
Test(accept, each_thread_that_accepts_gets_a_connection, .timeout = 60) {
    enum { ACCEPTING = 4 };
    portls_listener *listener = listen_here(NULL);
    pthread_t accepting[ACCEPTING];
    for (int i = 0; i < ACCEPTING; i++) {
        cr_assert_eq(pthread_create(&accepting[i], NULL, accept_one, listener), 0);
    }
    for (size_t left = ACCEPTING; left > 0; left--) {
        while (count_followers(listener) != 100 + left - 1) {
            (void)usleep(1000);
        }
        (void)connect_one(listener);
    }
    for (int i = 0; i < ACCEPTING; i++) {
        void *status = NULL;
        cr_assert_eq(pthread_join(accepting[i], &status), 0);
        cr_expect_eq((portls_status)(intptr_t)status, PORTLS_OK);
    }
    size_t kept = 0;
    for (const struct follower *f = listener->spare; f != NULL; f = f->next) {
        kept++;
    }
    cr_expect_eq(kept, (size_t)ACCEPTING - 1, "the wakeups of %zu threads are kept", kept);
    portls_close(listener);
}
