/*
 * A program that loads portls by dlopen and closes it while a thread is left that has used it:
 *   unload_test LIBRARY used|resolving
 * used: the thread has begun a handshake, so that the TLS library has something to free when the
 * thread ends. resolving: a connect has passed its deadline, and its resolver is still at work.
 * What such a thread runs has to stay in memory.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portls/portls.h"

static void *library;

/* Finds a function of the library, which this program is not linked to. */
#define FIND(name) __typeof__(name) *name##_ = (__typeof__(name) *)find(#name)

static void (*find(const char *name))(void) {
    void (*found)(void) = NULL;
    void *symbol = dlsym(library, name);
    if (symbol == NULL) {
        (void)fprintf(stderr, "%s is missing: %s\n", name, dlerror());
        exit(2);
    }
    memcpy(&found, &symbol, sizeof found);
    return found;
}

static void require(int holds, const char *what) {
    if (!holds) {
        (void)fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

/* ---- a thread that has used the library ---- */

static sem_t used, unloaded;

static void *use(void *argument) {
    FIND(portls_make_client_context);
    FIND(portls_make_pipe);
    FIND(portls_wrap_ports_avail);
    FIND(portls_handshake_avail);
    FIND(portls_close_ports);
    FIND(portls_close_output_port);
    FIND(portls_free_context);
    portls_context *context = NULL;
    portls_input_port *in = NULL, *peer_in = NULL, *ssl_in = NULL;
    portls_output_port *out = NULL, *peer_out = NULL, *ssl_out = NULL;
    require(portls_make_client_context_(PORTLS_TLS12, &context, NULL) == PORTLS_OK, "context");
    require(portls_make_pipe_(10000, &peer_in, &out, NULL) == PORTLS_OK, "pipe");
    require(portls_make_pipe_(10000, &in, &peer_out, NULL) == PORTLS_OK, "pipe");
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    options.context = context;
    options.close_original = true;
    require(portls_wrap_ports_avail_(in, out, &options, &ssl_in, &ssl_out, NULL) == PORTLS_OK,
            "wrap");
    require(portls_handshake_avail_(ssl_in, NULL) == PORTLS_WANT_READ, "handshake");
    portls_close_output_port_(peer_out, NULL);
    portls_status status = portls_handshake_avail_(ssl_in, NULL);
    require(status == PORTLS_HANDSHAKE, "failed handshake");
    portls_close_ports_(ssl_in, ssl_out, NULL);
    portls_close_ports_(peer_in, NULL, NULL);
    portls_free_context_(context);
    (void)sem_post(&used);
    (void)sem_wait(&unloaded);
    return argument;
}

static void unload_after_use(void) {
    pthread_t thread;
    (void)sem_init(&used, 0, 0);
    (void)sem_init(&unloaded, 0, 0);
    require(pthread_create(&thread, NULL, use, NULL) == 0, "thread");
    (void)sem_wait(&used);
    require(dlclose(library) == 0, "dlclose");
    (void)sem_post(&unloaded);
    require(pthread_join(thread, NULL) == 0, "join");
}

/* ---- a resolver that is left behind ---- */

static sem_t asked, may_answer;

/* Takes the C library's place: answers when told. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **result) {
    (void)host;
    (void)service;
    (void)hints;
    (void)result;
    (void)sem_post(&asked);
    (void)sem_wait(&may_answer);
    return EAI_FAIL;
}

static void unload_while_resolving(void) {
    FIND(portls_protocol_context);
    FIND(portls_connect_until);
    FIND(portls_deadline_after);
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    (void)sem_init(&asked, 0, 0);
    (void)sem_init(&may_answer, 0, 0);
    portls_context *context = portls_protocol_context_(PORTLS_CLIENT, PORTLS_TLS12);
    portls_status status = portls_connect_until_("slow.example", 443, context,
                                                 portls_deadline_after_(1), NULL, &in, &out, NULL);
    require(status == PORTLS_DEADLINE, "deadline");
    (void)sem_wait(&asked);
    require(dlclose(library) == 0, "dlclose");
    (void)sem_post(&may_answer);
    /* The thread is detached: its end is known when it has left the count of threads. */
    for (int threads = 2; threads > 1;) {
        char line[200];
        FILE *status_file = fopen("/proc/self/status", "r");
        while (status_file != NULL && fgets(line, sizeof line, status_file) != NULL) {
            (void)sscanf(line, "Threads: %d", &threads);
        }
        require(status_file != NULL && fclose(status_file) == 0, "/proc");
    }
}

int main(int count, char **arguments) {
    require(count == 3, "usage: unload_test LIBRARY used|resolving");
    library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        (void)fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    if (strcmp(arguments[2], "used") == 0) {
        unload_after_use();
    } else {
        unload_while_resolving();
    }
    return 0;
}
