/* Works of many connections at once: served by one thread, and idle. */
#include <dirent.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/work.h"

static struct talk **new_talks(int count) {
    struct talk **talks = calloc((size_t)count, sizeof(struct talk *));
    if (talks == NULL) {
        die("out of memory");
    }
    return talks;
}

/* ---- one thread serves many, and one thread is all their clients ---- */

struct crowd {
    struct side *side;
    struct talk **talks;
    size_t *heard; /* of the message that is arriving on each */
    int count;
    int poller;
};

static void crowd_make(struct crowd *crowd, struct side *side, bool server) {
    int count = side->options->connections;
    *crowd = (struct crowd){.side = side, .talks = new_talks(count), .count = count};
    crowd->heard = calloc((size_t)count, sizeof *crowd->heard);
    crowd->poller = epoll_create1(EPOLL_CLOEXEC);
    if (crowd->heard == NULL || crowd->poller < 0) {
        die("crowd: %s", strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        struct talk *talk = server ? side->way->accept() : side->way->connect(side->port);
        warm_up(side, talk, server);
        side->way->stop_waiting(talk);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)i};
        if (epoll_ctl(crowd->poller, EPOLL_CTL_ADD, side->way->descriptor(talk), &event) != 0) {
            die("epoll_ctl: %s", strerror(errno));
        }
        crowd->talks[i] = talk;
    }
}

static void crowd_say(struct crowd *crowd, int which) {
    const struct side *side = crowd->side;
    struct talk *talk = crowd->talks[which];
    long size = (long)side->options->size;
    if (side->way->try_write(talk, side->pattern, side->options->size) != size ||
        side->way->try_flush(talk)) {
        die("many: a message did not fit into an idle connection");
    }
}

/* Reads what has come; the number of messages that are complete now. */
static long crowd_hear(struct crowd *crowd, int which) {
    struct side *side = crowd->side;
    long messages = 0;
    for (;;) {
        long got = side->way->try_read(crowd->talks[which], side->buffer, BUFFER_SIZE);
        if (got == WAY_WOULD_WAIT) {
            return messages;
        }
        if (got == 0) {
            die("many: a connection has ended early");
        }
        arrived(side, crowd->heard[which], (size_t)got);
        crowd->heard[which] += (size_t)got;
        for (; crowd->heard[which] >= side->options->size; messages++) {
            crowd->heard[which] -= side->options->size;
        }
    }
}

/* Hears `messages` messages in all and, as long as `answers` lasts, says one for each. */
static void crowd_run(struct crowd *crowd, long messages, long answers) {
    struct epoll_event events[256];
    while (messages > 0) {
        int count = epoll_wait(crowd->poller, events, 256, -1);
        if (count < 0) {
            die("epoll_wait: %s", strerror(errno));
        }
        for (int i = 0; i < count; i++) {
            int which = (int)events[i].data.u32;
            for (long heard = crowd_hear(crowd, which); heard > 0; heard--, messages--) {
                if (answers > 0) {
                    crowd_say(crowd, which);
                    answers--;
                }
            }
        }
    }
}

/* The connections end with the process. */
static void crowd_leave(struct crowd *crowd) {
    (void)close(crowd->poller);
    free(crowd->talks);
    free(crowd->heard);
}

static void many_client(struct side *side) {
    struct crowd crowd;
    long count = side->options->count;
    crowd_make(&crowd, side, false);
    begin(side);
    long first = crowd.count < count ? crowd.count : count;
    for (int i = 0; i < first; i++) {
        crowd_say(&crowd, i);
    }
    crowd_run(&crowd, count, count - first);
    end(side);
    tell(side);
    hear(side); /* nobody leaves while the other still listens */
    crowd_leave(&crowd);
}

static void many_server(struct side *side) {
    struct crowd crowd;
    crowd_make(&crowd, side, true);
    begin(side);
    crowd_run(&crowd, side->options->count, side->options->count);
    end(side);
    tell(side);
    hear(side); /* nobody leaves while the other still listens */
    crowd_leave(&crowd);
}

const struct work many_work = {
    .name = "many",
    .text =
        "`connections` at once, served by one thread: `count` times `size` bytes there and back",
    .client = many_client,
    .server = many_server,
    .size = 1024,
    .count = 20000,
};

/* ---- idle ---- */

enum { FIRST = 64 }; /* after so many nothing is done for the first time any more */

struct usage {
    double resident, heap, descriptors;
};

/* /proc/self/statm counts pages; the second number is what is in memory. */
static double resident_bytes(void) {
    char line[128];
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL || strchr(line, ' ') == NULL) {
        die("/proc/self/statm: %s", strerror(errno));
    }
    (void)fclose(file);
    return strtod(strchr(line, ' '), NULL) * (double)sysconf(_SC_PAGESIZE);
}

/* How many descriptors are open. */
static double open_descriptors(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        die("/proc/self/fd: %s", strerror(errno));
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

static struct usage used(void) {
    struct mallinfo2 info = mallinfo2();
    return (struct usage){.resident = resident_bytes(),
                          .heap = (double)(info.uordblks + info.hblkhd),
                          .descriptors = open_descriptors()};
}

/* Tries to hear more, in vain, as a server does before it waits for its connections. */
static void begin_idling(struct side *side, struct talk *talk) {
    side->way->stop_waiting(talk);
    if (side->way->try_read(talk, side->buffer, BUFFER_SIZE) != WAY_WOULD_WAIT) {
        die("idle: a connection is not idle");
    }
}

/* A byte each way; with a larger size as much each way again, as connections in use have seen. */
static struct talk *idle_talk(struct side *side, bool server) {
    struct talk *talk = server ? side->way->accept() : side->way->connect(side->port);
    size_t size = side->options->size;
    warm_up(side, talk, server);
    if (size > 1) {
        if (!server) {
            side->way->write(talk, side->pattern, size);
        }
        read_all(side, talk, size);
        if (server) {
            side->way->write(talk, side->pattern, size);
        }
    }
    if (server) {
        begin_idling(side, talk);
    }
    return talk;
}

static void idle_client(struct side *side) {
    int count = side->options->connections;
    struct talk **talks = new_talks(count);
    begin(side);
    for (int i = 0; i < count; i++) {
        talks[i] = idle_talk(side, false);
    }
    end(side);
    hear(side); /* all are open until the server has counted */
    free(talks);
}

static void idle_server(struct side *side) {
    int count = side->options->connections;
    struct talk **talks = new_talks(count);
    memset(talks, 1, sizeof(struct talk *) * (size_t)count); /* its own memory is there already */
    if (count <= FIRST) {
        die("idle: more than %d connections are needed to tell what one takes", FIRST);
    }
    struct usage before = {0};
    begin(side);
    for (int i = 0; i < count; i++) {
        if (i == FIRST) {
            before = used();
        }
        talks[i] = idle_talk(side, true);
    }
    end(side);
    struct usage after = used();
    double more = count - FIRST;
    side->result.resident = (after.resident - before.resident) / more;
    side->result.heap = (after.heap - before.heap) / more;
    side->result.descriptors = (after.descriptors - before.descriptors) / more;
    tell(side);
    free(talks);
}

const struct work idle_work = {
    .name = "idle",
    .text = "what each of `connections` takes of the server's memory, `size` bytes each way before",
    .client = idle_client,
    .server = idle_server,
    .size = 1,
    .count = 1,
};
