/*
 * A way of having a conversation over TCP: with portls, with its backend by hand, or with the
 * cipher alone. Each work (work.h) is written once, in these words, so that all of them do exactly
 * the same. What fails ends the process: a figure of a run with a failure is worth nothing.
 */
#ifndef BENCH_WAY_H
#define BENCH_WAY_H

#include <stdbool.h>
#include <stddef.h>

/* What both sides of a conversation are set up with, in each of the ways. */
struct setup {
    bool server;
    bool wrap; /* portls: the socket is made by hand and wrapped, in place of connect and accept */
    unsigned int busy_poll; /* portls: microseconds, portls_set_busy_poll; 0: off */
    const char *chain;      /* PEM file of the server's certificate and its issuers */
    const char *key;        /* PEM file of its key */
    const char *roots;      /* PEM file that the client verifies the server by */
};

/* One conversation; each way has its own structure. */
struct talk;

/* Says which protocol and cipher a conversation has. */
struct terms {
    char protocol[32];
    char cipher[64];
};

/* What try_read and try_write return when the call would have to wait. */
#define WAY_WOULD_WAIT (-1L)

struct way {
    const char *name;

    /* Once in a process, before anything else: the context that all its conversations share. */
    void (*prepare)(const struct setup *setup);

    /* Listens on a free port of 127.0.0.1 and returns its number. */
    int (*listen)(void);
    /* Returns the next conversation, or begins one; its handshake is done. TCP_NODELAY is set. */
    struct talk *(*accept)(void);
    struct talk *(*connect)(int port);

    /* Waits for at least one byte; 0: the peer has ended the conversation. */
    size_t (*read)(struct talk *talk, void *buffer, size_t size);
    /* Writes and sends all of it. */
    void (*write)(struct talk *talk, const void *bytes, size_t size);

    /* From here on try_read and try_write are used, and read and write no more. */
    void (*stop_waiting)(struct talk *talk);
    /* The same without waiting: a number of bytes, 0 at the end, or WAY_WOULD_WAIT. After that a
       try_write is repeated with the same arguments. */
    long (*try_read)(struct talk *talk, void *buffer, size_t size);
    long (*try_write)(struct talk *talk, const void *bytes, size_t size);
    /* Whether bytes that try_write has taken are still to be sent: another call of try_flush is due
       when the descriptor turns writable. */
    bool (*try_flush)(struct talk *talk);
    int (*descriptor)(struct talk *talk);

    /* Sends close_notify; reading goes on. Once at most. */
    void (*shutdown)(struct talk *talk);
    /* Closes the socket and frees the conversation. */
    void (*close)(struct talk *talk);

    /*
     * Two conversations that talk to each other through memory of this process, their handshake
     * done; read and write on them never have to wait as long as each write is read before the
     * next. The contexts are made here: prepare is not called. NULL where a way has none.
     */
    void (*pair)(const struct setup *server, const struct setup *client, struct talk **server_talk,
                 struct talk **client_talk);

    /* From here on what is written is gathered: portls_set_buffering. NULL where there is no such
       thing. */
    void (*gather)(struct talk *talk);
    /* Sends what was gathered. NULL where gather is. */
    void (*flush)(struct talk *talk);

    void (*describe)(struct talk *talk, struct terms *terms);
};

extern const struct way portls_way; /* portls_way.c */
extern const struct way hand_way;   /* hand/<backend>.c, as the library's documentation shows it */
extern const struct way floor_way;  /* floor.c: plain TCP and the cipher alone */

/* Ends the process with a message about what failed. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
