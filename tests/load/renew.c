/*
 * Certificates replaced under load: clients connect without a pause while the listener's identity
 * is replaced again and again. Not one connection fails, and one that is begun after the call has
 * returned is served the new certificate.
 *
 *   renew [replacements]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "../hostile/fail.h"
#include "../hostile/server.h"

enum { REPLACEMENTS = 300, CLIENTS = 3 };

/* A certificate, and the name by which it is told from the others. */
static const struct identity {
    const char *stem, *name;
} identities[] = {
    {"server-p256", "localhost"},
    {"wildcard", "wildcard"},
    {"ip-only", "ip-only"},
};

enum { IDENTITIES = sizeof identities / sizeof *identities };

static atomic_bool stop;
static atomic_uint served[IDENTITIES];

/* Which of the identities the server has shown. */
static unsigned int identity_of(const struct visitor *visitor) {
    const char *subject = portls_connection_peer_subject(visitor->in);
    for (unsigned int i = 0; i < IDENTITIES; i++) {
        if (strstr(subject, identities[i].name) != NULL) {
            return i;
        }
    }
    fail("the server's certificate is that of \"%s\"", subject);
}

static unsigned int visit_and_look(void) {
    struct visitor visitor;
    visitor_come(&visitor);
    unsigned int identity = identity_of(&visitor);
    visitor_echo(&visitor);
    visitor_leave(&visitor);
    return identity;
}

static void *visit_all_the_time(void *argument) {
    (void)argument;
    while (!atomic_load(&stop)) {
        (void)atomic_fetch_add(&served[visit_and_look()], 1);
    }
    return NULL;
}

int main(int argc, char **argv) {
    unsigned int replacements =
        argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : (unsigned int)REPLACEMENTS;
    pthread_t clients[CLIENTS];
    (void)visitor_context(); /* made before the threads share it */
    server_open(60000, 256);
    for (int i = 0; i < CLIENTS; i++) {
        if (pthread_create(&clients[i], NULL, visit_all_the_time, NULL) != 0) {
            fail("no thread for a client");
        }
    }
    for (unsigned int i = 1; i <= replacements; i++) {
        load_identity(server_context(), identities[i % IDENTITIES].stem);
        unsigned int seen = visit_and_look();
        if (seen != i % IDENTITIES) {
            fail("after replacement %u the server shows %s in place of %s", i,
                 identities[seen].stem, identities[i % IDENTITIES].stem);
        }
    }
    atomic_store(&stop, true);
    unsigned int visits = replacements;
    for (int i = 0; i < CLIENTS; i++) {
        (void)pthread_join(clients[i], NULL);
    }
    server_close();
    for (int i = 0; i < IDENTITIES; i++) {
        visits += atomic_load(&served[i]);
    }
    struct server_counts counts = server_counts();
    (void)printf("%u replacements under %u connections, of which %u failed; beside, clients were "
                 "shown %s %u times, %s %u times and %s %u times\n",
                 replacements, counts.begun + counts.failed, counts.failed + counts.broken,
                 identities[0].stem, atomic_load(&served[0]), identities[1].stem,
                 atomic_load(&served[1]), identities[2].stem, atomic_load(&served[2]));
    if (counts.failed != 0 || counts.broken != 0 || counts.begun != visits) {
        fail("%u were to be served, and all of them well", visits);
    }
    portls_free_context(visitor_context());
    return 0;
}
