/*
 * One run of one work in one way: a client and a server, each a process of its own, over loopback.
 * Prints what both have found out as one line of JSON. bench.py makes pairs of runs out of it, and
 * figures out of pairs.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/hand/cipher.h"
#include "bench/tcp.h"
#include "bench/work.h"

static const struct work *const works[] = {
    &bulk_work,   &duplex_work, &pingpong_work, &handshake_work, &connection_work,
    &answer_work, &accept_work, &many_work,     &idle_work,      &pipe_work,
};
static const struct way *const ways[] = {&portls_way, &hand_way, &floor_way};

enum { WORKS = sizeof works / sizeof works[0], WAYS = sizeof ways / sizeof ways[0] };

static void usage(void) {
    (void)printf("usage: bench-run-%s --work WORK --way WAY [OPTION…]\n\n", BENCH_BACKEND);
    (void)printf("One run of a work, told as a line of JSON. Works:\n");
    for (int i = 0; i < WORKS; i++) {
        (void)printf("  %-12s %s (%ld times, %zu bytes)\n", works[i]->name, works[i]->text,
                     works[i]->count, works[i]->size);
    }
    (void)printf("Ways: portls, hand (the same library by hand), floor (TCP and the cipher)\n"
                 "Options:\n"
                 "  --size BYTES, --count NUMBER, --connections NUMBER\n"
                 "  --certificate NAME  server-p256, server-rsa2048 or server-rsa4096\n"
                 "  --threads NUMBER    accept: threads of the server\n"
                 "  --hand-client       the client is by hand, without TCP_NODELAY\n"
                 "  --roots FILE        what the client trusts; the test root's file otherwise\n"
                 "  --wrap              portls wraps a socket in place of connect and accept\n"
                 "  --gather            portls gathers what is written (block mode)\n"
                 "  --busy-poll MICROSECONDS  portls polls before it sleeps\n"
                 "  --check             compare every byte that arrives\n"
                 "  --pin               client and server on a processor each\n"
                 "  --marks             mark the measured part for a tracer of system calls\n"
                 "  --settle            handshakes: the client reads when all is sent\n");
}

struct run {
    const struct work *work;
    const struct way *way;
    const char *certificate;
    const char *roots;
    bool wrap;
    bool hand_client;
    unsigned int busy_poll;
    struct options options;
};

static long number(const char *text) {
    char *rest = NULL;
    errno = 0;
    long value = strtol(text, &rest, 10);
    if (*text == '\0' || *rest != '\0' || errno != 0 || value < 1) {
        die("'%s' is not a number of 1 or more", text);
    }
    return value;
}

static const struct work *find_work(const char *name) {
    for (int i = 0; i < WORKS; i++) {
        if (strcmp(works[i]->name, name) == 0) {
            return works[i];
        }
    }
    die("there is no work '%s'; --help lists them", name);
}

static const struct way *find_way(const char *name) {
    for (int i = 0; i < WAYS; i++) {
        if (strcmp(ways[i]->name, name) == 0) {
            return ways[i];
        }
    }
    die("there is no way '%s': portls, hand or floor", name);
}

static void parse(struct run *run, int argc, char **argv) {
    enum { WORK, WAY, SIZE, COUNT, CONNECTIONS, CERTIFICATE, ROOTS, GATHER, CHECK, PIN, MARKS };
    enum { SETTLE = MARKS + 1, WRAP, BUSY_POLL, THREADS, HAND_CLIENT, HELP };
    static const struct option names[] = {
        {"work", required_argument, NULL, WORK},
        {"way", required_argument, NULL, WAY},
        {"size", required_argument, NULL, SIZE},
        {"count", required_argument, NULL, COUNT},
        {"connections", required_argument, NULL, CONNECTIONS},
        {"certificate", required_argument, NULL, CERTIFICATE},
        {"roots", required_argument, NULL, ROOTS},
        {"gather", no_argument, NULL, GATHER},
        {"check", no_argument, NULL, CHECK},
        {"pin", no_argument, NULL, PIN},
        {"marks", no_argument, NULL, MARKS},
        {"settle", no_argument, NULL, SETTLE},
        {"wrap", no_argument, NULL, WRAP},
        {"busy-poll", required_argument, NULL, BUSY_POLL},
        {"threads", required_argument, NULL, THREADS},
        {"hand-client", no_argument, NULL, HAND_CLIENT},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    for (int option = 0; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (option) {
        case WORK:
            run->work = find_work(optarg);
            break;
        case WAY:
            run->way = find_way(optarg);
            break;
        case SIZE:
            run->options.size = (size_t)number(optarg);
            break;
        case COUNT:
            run->options.count = number(optarg);
            break;
        case CONNECTIONS:
            run->options.connections = (int)number(optarg);
            break;
        case CERTIFICATE:
            run->certificate = optarg;
            break;
        case ROOTS:
            run->roots = optarg;
            break;
        case GATHER:
            run->options.gather = true;
            break;
        case CHECK:
            run->options.check = true;
            break;
        case PIN:
            run->options.pin = true;
            break;
        case MARKS:
            run->options.marks = true;
            break;
        case SETTLE:
            run->options.settle = true;
            break;
        case WRAP:
            run->wrap = true;
            break;
        case BUSY_POLL:
            run->busy_poll = (unsigned int)number(optarg);
            break;
        case THREADS:
            run->options.threads = (int)number(optarg);
            break;
        case HAND_CLIENT:
            run->hand_client = true;
            break;
        case HELP:
            usage();
            exit(EXIT_SUCCESS);
        default:
            exit(EXIT_FAILURE); /* getopt has said why */
        }
    }
    if (run->work == NULL || run->way == NULL || optind != argc) {
        die("--work and --way are needed, and options only; --help explains them");
    }
    if (run->options.size == 0) {
        run->options.size = run->work->size;
    }
    if (run->options.count == 0) {
        run->options.count = run->work->count;
    }
    if (run->options.gather && run->way->gather == NULL) {
        die("the way %s cannot gather", run->way->name);
    }
}

enum { PATH_ROOM = 1024 };

/* A file of the test certificates. */
static const char *file_of(char path[PATH_ROOM], const char *name, const char *suffix) {
    int length = snprintf(path, PATH_ROOM, "%s/%s%s", PORTLS_TEST_CERTS, name, suffix);
    if (length < 0 || length >= PATH_ROOM) {
        die("the name of a certificate is too long");
    }
    return path;
}

static void prepare_side(struct side *side) {
    size_t size = side->options->size;
    side->buffer = malloc(BUFFER_SIZE);
    side->pattern = malloc(size);
    if (side->buffer == NULL || side->pattern == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < size; i++) {
        side->pattern[i] = (unsigned char)(i * 31 + (i >> 8) * 7 + 1);
    }
}

static void pin(const struct options *options, size_t processor) {
    if (options->pin && sysconf(_SC_NPROCESSORS_ONLN) > 1) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(processor, &set);
        if (sched_setaffinity(0, sizeof set, &set) != 0) {
            die("sched_setaffinity: %s", strerror(errno));
        }
    }
}

static void put(int descriptor, const void *bytes, size_t size) {
    if (write(descriptor, bytes, size) != (ssize_t)size) {
        die("pipe: %s", strerror(errno));
    }
}

static void get(int descriptor, void *bytes, size_t size) {
    if (read(descriptor, bytes, size) != (ssize_t)size) {
        die("the other process has failed");
    }
}

struct pipes {
    int port[2];
    int told[2][2];    /* to the server, to the client */
    int results[2][2]; /* of the server, of the client */
};

/* One of the two processes, from its beginning to its end. */
_Noreturn static void be(const struct run *run, const struct setup *setups, struct pipes *pipes,
                         bool client) {
    struct side side = {
        .way = run->way, .options = &run->options, .setups = setups, .server = !client};
    if (client && run->hand_client) {
        side.way = &hand_way;
        tcp_use_nagle();
    }
    side.hear = pipes->told[client][0];
    side.tell = pipes->told[!client][1];
    /* An end that nobody has open any more tells the other process that this one has failed. */
    (void)close(pipes->port[client]);
    (void)close(pipes->told[client][1]);
    (void)close(pipes->told[!client][0]);
    pin(&run->options, client ? 1 : 0);
    prepare_side(&side);
    side.way->prepare(&setups[client]);
    if (client) {
        get(pipes->port[0], &side.port, sizeof side.port);
        run->work->client(&side);
    } else {
        side.port = run->way->listen();
        put(pipes->port[1], &side.port, sizeof side.port);
        run->work->server(&side);
    }
    put(pipes->results[client][1], &side.result, sizeof side.result);
    exit(EXIT_SUCCESS);
}

static bool ended_well(pid_t child) {
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void run_both(const struct run *run, const struct setup *setups, struct result results[2]) {
    struct pipes pipes;
    pid_t children[2];
    if (pipe(pipes.port) != 0 || pipe(pipes.told[0]) != 0 || pipe(pipes.told[1]) != 0 ||
        pipe(pipes.results[0]) != 0 || pipe(pipes.results[1]) != 0) {
        die("pipe: %s", strerror(errno));
    }
    for (int client = 0; client < 2; client++) {
        children[client] = fork();
        if (children[client] < 0) {
            die("fork: %s", strerror(errno));
        }
        if (children[client] == 0) {
            be(run, setups, &pipes, client != 0);
        }
    }
    for (int i = 0; i < 2; i++) {
        (void)close(pipes.port[i]);
        (void)close(pipes.told[0][i]);
        (void)close(pipes.told[1][i]);
    }
    bool server_good = ended_well(children[0]);
    bool client_good = ended_well(children[1]);
    if (!server_good || !client_good) {
        exit(EXIT_FAILURE); /* it has said why */
    }
    get(pipes.results[0][0], &results[0], sizeof results[0]);
    get(pipes.results[1][0], &results[1], sizeof results[1]);
}

static void run_alone(const struct run *run, const struct setup *setups, struct result results[2]) {
    struct side side = {.way = run->way, .options = &run->options, .setups = setups};
    prepare_side(&side);
    run->work->client(&side);
    results[1] = side.result;
}

/* Thousands of connections need as many descriptors. */
static void raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        die("getrlimit: %s", strerror(errno));
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        die("setrlimit: %s", strerror(errno));
    }
}

static void print_side(const char *name, const struct result *result) {
    (void)printf("\"%s\":{\"wall\":%.6f,\"cpu\":%.6f,\"switches\":%ld,\"bytes\":%lu,"
                 "\"resident\":%.1f,\"heap\":%.1f,\"descriptors\":%.3f}",
                 name, result->wall, result->cpu, result->switches, result->bytes, result->resident,
                 result->heap, result->descriptors);
}

static void print(const struct run *run, const struct result results[2]) {
    (void)printf("{\"backend\":\"%s\",\"work\":\"%s\",\"way\":\"%s\",\"size\":%zu,\"count\":%ld,"
                 "\"connections\":%d,\"gather\":%s,\"certificate\":\"%s\",\"protocol\":\"%s\","
                 "\"cipher\":\"%s\",",
                 BENCH_BACKEND, run->work->name, run->way->name, run->options.size,
                 run->options.count, run->options.connections,
                 run->options.gather ? "true" : "false", run->certificate,
                 results[1].terms.protocol, results[1].terms.cipher);
    print_side("server", &results[0]);
    (void)putchar(',');
    print_side("client", &results[1]);
    (void)puts("}");
}

int main(int argc, char **argv) {
    struct run run = {.certificate = "server-p256", .options = {.connections = 1, .threads = 1}};
    struct result results[2] = {{.wall = 0}, {.wall = 0}};
    parse(&run, argc, argv);
    char chain[PATH_ROOM];
    char key[PATH_ROOM];
    char roots[PATH_ROOM];
    struct setup setups[2] = {{.server = true}, {.server = false}};
    for (int i = 0; i < 2; i++) {
        setups[i].wrap = run.wrap;
        setups[i].busy_poll = run.busy_poll;
        setups[i].chain = file_of(chain, run.certificate, ".chain.pem");
        setups[i].key = file_of(key, run.certificate, ".key");
        setups[i].roots = run.roots != NULL ? run.roots : file_of(roots, "root", ".pem");
    }
    cipher_choose();
    (void)signal(SIGPIPE, SIG_IGN);
    raise_limit();
    if (run.work->server == NULL) {
        run_alone(&run, setups, results);
    } else {
        run_both(&run, setups, results);
    }
    print(&run, results);
    return EXIT_SUCCESS;
}
