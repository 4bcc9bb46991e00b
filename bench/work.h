/* What is measured: works, each of which a client and a server do together, in any way. */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "bench/way.h"

/* What a run is told. */
struct options {
    size_t size;     /* bytes of a write or a message */
    long count;      /* writes, round trips, connections: what the work repeats */
    int connections; /* how many are open at once, where the work has many */
    int threads;     /* accept work: that accept from the one listener */
    bool gather;     /* portls gathers what is written (block mode) */
    bool check;      /* look at every byte that arrives */
    bool marks;      /* tell a system call tracer where the measured part begins and ends */
    bool settle;     /* the client reads only when all that is to come has been sent */
    bool pin;        /* the server on one processor and the client on another */
};

/* What a side has found out between `begin` and `end`. */
struct result {
    double wall;         /* seconds */
    double cpu;          /* seconds, of the kernel too */
    long switches;       /* times it waited */
    unsigned long bytes; /* that arrived, in the whole run */
    double resident;     /* memory work: bytes per connection, as the system counts */
    double heap;         /* memory work: bytes per connection, as malloc counts */
    double descriptors;  /* memory work: per connection */
    struct terms terms;
};

/* One of the two processes. */
struct side {
    const struct way *way;
    const struct options *options;
    const struct setup *setups; /* the server's and the client's */
    bool server;
    int port;               /* the client's: where the server listens */
    int tell, hear;         /* pipes to the other side and from it, beside the connections */
    unsigned char *buffer;  /* BUFFER_SIZE bytes to read into */
    unsigned char *pattern; /* options->size bytes that every message consists of */
    struct result result;
};

enum { BUFFER_SIZE = 65536 };

struct work {
    const char *name;
    const char *text; /* what it does and what `count` counts */
    void (*client)(struct side *side);
    void (*server)(struct side *side); /* NULL: one process does it, and `client` is all */
    size_t size;                       /* the usual ones */
    long count;
};

/* bulk.c */
extern const struct work bulk_work, duplex_work, pingpong_work;
/* connection.c */
extern const struct work handshake_work, connection_work, answer_work;
/* accept.c */
extern const struct work accept_work;
/* many.c */
extern const struct work many_work, idle_work;
/* memory_pipe.c */
extern const struct work pipe_work;

/* side.c: the measured part of a side begins and ends. */
void begin(struct side *side);
void end(struct side *side);
double now(void); /* in seconds, from anywhere */

/* Looks at what has arrived if that was asked for. `offset`: how much of its message or stream of
   messages came before. */
void arrived(struct side *side, size_t offset, size_t size);
/* Reads `size` bytes, a message or several. */
void read_all(struct side *side, struct talk *talk, size_t size);
/* Reads to the end, which has to come now. */
void read_end(struct side *side, struct talk *talk);
/* One byte there and one back: afterwards neither side has anything of the handshake to do. */
void warm_up(struct side *side, struct talk *talk, bool server);
/* The same for two conversations of this process. */
void warm_up_pair(struct side *side, struct talk *server, struct talk *client);
/* Beside the connections: says to the other side that a point is reached; waits for it to say so.
 */
void tell(const struct side *side);
void hear(const struct side *side);
/* Both have said all, one after the other; the connection ends in order. */
void part(struct side *side, struct talk *talk, bool first);

#endif
