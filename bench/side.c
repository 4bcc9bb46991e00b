/* What the works share: the measured part, and the reading of messages. */
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/work.h"

static double seconds(clockid_t clock) {
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double now(void) {
    return seconds(CLOCK_MONOTONIC);
}

static long switches(void) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

/* Does nothing but show in a trace of system calls. */
static void mark(const struct side *side, bool begins) {
    static const char *const texts[2][2] = {{"bench end client", "bench end server"},
                                            {"bench begin client", "bench begin server"}};
    if (side->options->marks) {
        const char *text = texts[begins][side->server];
        ssize_t unused = write(-1, text, strlen(text));
        (void)unused;
    }
}

void begin(struct side *side) {
    side->result.wall = -now();
    side->result.switches = -switches();
    side->result.cpu = -seconds(CLOCK_PROCESS_CPUTIME_ID);
    mark(side, true);
}

void end(struct side *side) {
    mark(side, false);
    side->result.cpu += seconds(CLOCK_PROCESS_CPUTIME_ID);
    side->result.switches += switches();
    side->result.wall += now();
}

void arrived(struct side *side, size_t offset, size_t size) {
    side->result.bytes += size;
    if (!side->options->check) {
        return;
    }
    size_t message = side->options->size;
    for (size_t done = 0; done < size;) {
        size_t from = (offset + done) % message;
        size_t length = size - done < message - from ? size - done : message - from;
        if (memcmp(side->buffer + done, side->pattern + from, length) != 0) {
            die("other bytes have arrived than were sent");
        }
        done += length;
    }
}

void read_all(struct side *side, struct talk *talk, size_t size) {
    for (size_t done = 0; done < size;) {
        size_t room = size - done < BUFFER_SIZE ? size - done : BUFFER_SIZE;
        size_t got = side->way->read(talk, side->buffer, room);
        if (got == 0) {
            die("fewer bytes have arrived than were sent");
        }
        arrived(side, done, got);
        done += got;
    }
}

void read_end(struct side *side, struct talk *talk) {
    if (side->way->read(talk, side->buffer, BUFFER_SIZE) != 0) {
        die("more bytes have arrived than were sent");
    }
}

void warm_up(struct side *side, struct talk *talk, bool server) {
    if (!server) {
        side->way->write(talk, side->pattern, 1);
    }
    read_all(side, talk, 1);
    if (server) {
        side->way->write(talk, side->pattern, 1);
    }
    side->way->describe(talk, &side->result.terms);
    side->result.bytes = 0;
}

void warm_up_pair(struct side *side, struct talk *server, struct talk *client) {
    side->way->write(client, side->pattern, 1);
    read_all(side, server, 1);
    side->way->write(server, side->pattern, 1);
    read_all(side, client, 1);
    side->way->describe(client, &side->result.terms);
    side->result.bytes = 0;
}

void tell(const struct side *side) {
    if (write(side->tell, "", 1) != 1) {
        die("the other process has failed");
    }
}

void hear(const struct side *side) {
    char byte = 0;
    if (read(side->hear, &byte, 1) != 1) {
        die("the other process has failed");
    }
}

void part(struct side *side, struct talk *talk, bool first) {
    if (first) {
        side->way->shutdown(talk);
        read_end(side, talk);
    } else {
        read_end(side, talk);
        side->way->shutdown(talk);
    }
    side->way->close(talk);
}
