/*
 * Ports as FILE streams (portls/stdio.h): what the C library reads, writes, closes and says when
 * something goes wrong.
 */
#include "portls/stdio.h"

#include "../spec/spec_link.h"

#include <errno.h>
#include <stdlib.h>

SPEC_SUITE(stdio);

static const struct transport ways[] = {{"wide pipes", OVER_PIPES, 65536, false},
                                        {"narrow pipes", OVER_PIPES, 1, false},
                                        {"a socketpair", OVER_SOCKETPAIR, 0, false},
                                        {"connect", OVER_CONNECT, 0, false}};

/* The streams of one side, which own its ports from here on. */
struct streams {
    FILE *in, *out;
};

static struct streams open_streams(struct side *side) {
    struct streams streams = {NULL, NULL};
    REQUIRE_OK(portls_fopen_ports(side->in, side->out, &streams.in, &streams.out, &problem));
    cr_assert_not_null(streams.in);
    cr_assert_not_null(streams.out);
    return streams;
}

static void forget_ports(struct side *side) {
    side->in = NULL;
    side->out = NULL;
}

static void close_streams(struct streams *streams, struct side *side) {
    cr_assert_eq(fclose(streams->out), 0);
    cr_assert_eq(fclose(streams->in), 0);
    forget_ports(side);
}

/* ---- there and back ---- */

/* Answers line after line until the end, and leaves what it found. */
struct answering {
    struct streams streams;
    int lines;
    bool ended_well;
};

static void answer_lines(void *argument) {
    struct answering *answering = argument;
    char line[200];
    while (fgets(line, sizeof line, answering->streams.in) != NULL) {
        answering->lines++;
        fprintf(answering->streams.out, "%d: %s", answering->lines, line);
        fflush(answering->streams.out);
    }
    answering->ended_well = feof(answering->streams.in) && !ferror(answering->streams.in) &&
                            !ferror(answering->streams.out) && fclose(answering->streams.out) == 0;
}

SPEC_FOR_EACH(stdio, fgets_and_fprintf_talk_tls, struct transport, over, ways, COUNT_OF(ways)) {
    enum { LINES = 50 };
    struct link link;
    link_open_well(&link, over, NULL, NULL);
    REQUIRE_OK(portls_set_shutdown_on_close(link.client.out, true, &problem));
    REQUIRE_OK(portls_set_shutdown_on_close(link.server.out, true, &problem));
    struct answering server = {.streams = open_streams(&link.server)};
    struct streams streams = open_streams(&link.client);
    struct task task;
    task_start(&task, answer_lines, &server);
    for (int i = 1; i <= LINES; i++) {
        char wanted[100];
        char line[100];
        cr_assert(fprintf(streams.out, "question %d\n", i) > 0);
        cr_assert_eq(fflush(streams.out), 0);
        snprintf(wanted, sizeof wanted, "%d: question %d\n", i, i);
        cr_assert_not_null(fgets(line, sizeof line, streams.in));
        cr_assert_str_eq(line, wanted);
    }
    cr_assert_eq(fclose(streams.out), 0); /* with close_notify */
    cr_assert_eq(fgetc(streams.in), EOF);
    cr_assert(feof(streams.in));
    task_join(&task);
    cr_assert_eq(server.lines, LINES);
    cr_assert(server.ended_well);
    cr_assert_eq(fclose(streams.in), 0);
    cr_assert_eq(fclose(server.streams.in), 0);
    forget_ports(&link.client);
    forget_ports(&link.server);
    link_close(&link);
}

/* ---- much ---- */

/* Reads to the end and compares with the pattern. */
struct taking {
    FILE *in;
    size_t total;
    bool differs, ended_well;
};

static void take_pattern(void *argument) {
    struct taking *taking = argument;
    static uint8_t bytes[70001];
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, taking->in)) > 0;) {
        for (size_t i = 0; i < got; i++) {
            taking->differs |= bytes[i] != pattern_byte(taking->total + i);
        }
        taking->total += got;
    }
    taking->ended_well = feof(taking->in) && !ferror(taking->in);
}

static void put_pattern(FILE *out, size_t size, size_t piece) {
    uint8_t *bytes = malloc(piece);
    cr_assert_not_null(bytes);
    for (size_t done = 0; done < size;) {
        size_t now = size - done < piece ? size - done : piece;
        for (size_t i = 0; i < now; i++) {
            bytes[i] = pattern_byte(done + i);
        }
        cr_assert_eq(fwrite(bytes, 1, now, out), now);
        done += now;
    }
    free(bytes);
}

struct buffering {
    char name[40];
    int mode;
    size_t buffer; /* 0: the C library's own */
    size_t size, piece;
};

static const struct buffering bufferings[] = {{"the library's own", _IOFBF, 0, 3000001, 777},
                                              {"a large one", _IOFBF, 200000, 3000001, 12345},
                                              {"none", _IONBF, 0, 300001, 5000},
                                              {"lines", _IOLBF, 0, 100001, 999}};

SPEC_FOR_EACH(stdio, much_arrives_whole_with_every_buffering, struct buffering, buffering,
              bufferings, COUNT_OF(bufferings)) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    struct streams server = open_streams(&link.server);
    struct streams client = open_streams(&link.client);
    if (buffering->mode != _IOFBF || buffering->buffer != 0) {
        cr_assert_eq(setvbuf(client.out, NULL, buffering->mode, buffering->buffer), 0);
        cr_assert_eq(setvbuf(server.in, NULL, _IOFBF, 100), 0);
    }
    struct taking taking = {.in = server.in};
    struct task task;
    task_start(&task, take_pattern, &taking);
    put_pattern(client.out, buffering->size, buffering->piece);
    close_streams(&client, &link.client); /* flushes what is left */
    task_join(&task);
    cr_assert_eq(taking.total, buffering->size);
    cr_assert(!taking.differs);
    cr_assert(taking.ended_well);
    close_streams(&server, &link.server);
    link_close(&link);
}

/* ---- what goes wrong ---- */

SPEC(stdio, a_deadline_is_etimedout_and_reading_goes_on_after_it) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    struct streams client = open_streams(&link.client);
    char line[20];
    REQUIRE_OK(portls_set_read_deadline(link.client.in, PORTLS_NOW, &problem));
    errno = 0;
    cr_assert_null(fgets(line, sizeof line, client.in));
    cr_assert_eq(errno, ETIMEDOUT);
    cr_assert(ferror(client.in));
    cr_assert(!feof(client.in));
    clearerr(client.in);
    REQUIRE_OK(portls_set_read_deadline(link.client.in, PORTLS_NO_DEADLINE, &problem));
    REQUIRE_OK(portls_write(link.server.out, "late\n", 5, NULL, &problem));
    cr_assert_not_null(fgets(line, sizeof line, client.in));
    cr_assert_str_eq(line, "late\n");
    close_streams(&client, &link.client);
    link_close(&link);
}

SPEC(stdio, a_break_is_ecanceled_in_both_directions) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    struct streams client = open_streams(&link.client);
    portls_break *brk = NULL;
    REQUIRE_OK(portls_make_break(&brk, &problem));
    portls_set_break(brk);
    REQUIRE_OK(portls_set_read_break(link.client.in, brk, &problem));
    REQUIRE_OK(portls_set_write_break(link.client.out, brk, &problem));
    errno = 0;
    cr_assert_eq(fgetc(client.in), EOF);
    cr_assert_eq(errno, ECANCELED);
    cr_assert(ferror(client.in));
    /* A write waits, and sees the break, only when there is no more room. */
    char *bytes = calloc(1, 1 << 20);
    cr_assert_not_null(bytes);
    errno = 0;
    while (fwrite(bytes, 1, 1 << 20, client.out) == 1 << 20) {
    }
    cr_assert_eq(errno, ECANCELED);
    cr_assert(ferror(client.out));
    free(bytes);
    portls_clear_break(brk);
    /* What is left of the buffers is for the server, which does not care. */
    REQUIRE_OK(portls_close_ports(link.server.in, link.server.out, &problem));
    forget_ports(&link.server);
    cr_assert(fclose(client.out) == 0 || errno != 0);
    fclose(client.in);
    forget_ports(&link.client);
    portls_free_break(brk);
    link_close(&link);
}

SPEC(stdio, a_failure_is_eio_and_the_port_says_more) {
    struct link link;
    link_open_well(&link, wide_pipes, NULL, NULL);
    REQUIRE_OK(portls_set_strict_eof(link.client.in, true, &problem));
    struct streams client = open_streams(&link.client);
    REQUIRE_OK(portls_close_ports(link.server.in, link.server.out, &problem));
    link.server.in = NULL;
    link.server.out = NULL;
    side_close_raw(&link.server); /* no close_notify: the stream is cut */
    errno = 0;
    cr_assert_eq(fgetc(client.in), EOF);
    cr_assert_eq(errno, EIO);
    cr_assert(ferror(client.in));
    cr_assert(!feof(client.in));
    char byte;
    size_t got = 0;
    REQUIRE_STATUS(portls_read_avail(link.client.in, &byte, 1, &got, &problem), PORTLS_TRUNCATED);
    errno = 0;
    cr_assert(fprintf(client.out, "to nobody\n") > 0); /* into the buffer */
    cr_assert_eq(fflush(client.out), EOF);
    cr_assert_eq(errno, EIO);
    cr_assert(ferror(client.out));
    REQUIRE_STATUS(portls_flush_avail(link.client.out, &problem), PORTLS_IO);
    fclose(client.out);
    cr_assert_eq(fclose(client.in), 0);
    forget_ports(&link.client);
    link_close(&link);
}

SPEC(stdio, fclose_says_that_what_was_buffered_could_not_be_sent) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    FILE *file = NULL;
    REQUIRE_OK(portls_make_pipe(100, &in, &out, &problem));
    REQUIRE_OK(portls_fopen_ports(NULL, out, NULL, &file, &problem));
    cr_assert_geq(fputs("buffered", file), 0);
    REQUIRE_OK(portls_close_input_port(in, &problem));
    errno = 0;
    cr_assert_eq(fclose(file), EOF);
    cr_assert_eq(errno, EIO);
}

/* ---- one direction, and what is refused ---- */

SPEC(stdio, one_direction_may_be_a_stream_and_the_other_a_port) {
    struct link link;
    link_open_well(&link, by_connect, NULL, NULL);
    FILE *in = NULL;
    FILE *out = NULL;
    char line[20];
    REQUIRE_OK(portls_fopen_ports(link.client.in, NULL, &in, NULL, &problem));
    REQUIRE_OK(portls_fopen_ports(NULL, link.server.out, NULL, &out, &problem));
    cr_assert_geq(fputs("one way\n", out), 0);
    cr_assert_eq(fflush(out), 0);
    cr_assert_not_null(fgets(line, sizeof line, in));
    cr_assert_str_eq(line, "one way\n");
    REQUIRE_OK(portls_write(link.client.out, "other\n", 6, NULL, &problem));
    REQUIRE_OK(portls_read_line(link.server.in, line, sizeof line, NULL, &problem));
    cr_assert_str_eq(line, "other");
    cr_assert_eq(fclose(in), 0);
    link.client.in = NULL;
    cr_assert_eq(fclose(out), 0);
    link.server.out = NULL;
    link_close(&link);
}

SPEC(stdio, what_is_no_open_port_is_refused_and_nothing_is_lost) {
    portls_input_port *in = NULL;
    portls_output_port *out = NULL;
    FILE *fin = stdin;
    FILE *fout = stdout;
    REQUIRE_OK(portls_make_pipe(100, &in, &out, &problem));
    void *no_input = out;
    void *no_output = in;
    REQUIRE_STATUS(portls_fopen_ports(no_input, out, &fin, &fout, &problem), PORTLS_WRONG_KIND);
    cr_assert_null(fin);
    cr_assert_null(fout);
    REQUIRE_STATUS(portls_fopen_ports(in, no_output, &fin, &fout, &problem), PORTLS_WRONG_KIND);
    cr_assert_null(fin);
    REQUIRE_FAILURE(portls_fopen_ports(NULL, NULL, &fin, &fout, &problem), PORTLS_INVALID_ARGUMENT,
                    "both ports are NULL");
    REQUIRE_FAILURE(portls_fopen_ports(in, out, NULL, &fout, &problem), PORTLS_INVALID_ARGUMENT,
                    "fin is NULL");
    REQUIRE_FAILURE(portls_fopen_ports(in, out, &fin, NULL, &problem), PORTLS_INVALID_ARGUMENT,
                    "fout is NULL");
    /* The ports are as they were. */
    char line[20];
    REQUIRE_OK(portls_write(out, "here\n", 5, NULL, &problem));
    REQUIRE_OK(portls_read_line(in, line, sizeof line, NULL, &problem));
    cr_assert_str_eq(line, "here");
    REQUIRE_OK(portls_close_ports(in, out, &problem));

    struct link link;
    link_open_well(&link, wide_pipes, NULL, NULL);
    REQUIRE_STATUS(portls_fopen_ports(link.client.raw_in, NULL, &fin, NULL, &problem),
                   PORTLS_IN_USE);
    REQUIRE_OK(portls_close_input_port(link.client.in, &problem));
    REQUIRE_STATUS(portls_fopen_ports(link.client.in, NULL, &fin, NULL, &problem), PORTLS_CLOSED);
    link.client.in = NULL;
    link_close(&link);
}

/* The first line read has taken the second one along: over TLS it would be mixed with what the peer
   says there. */
SPEC(stdio, a_port_with_a_file_cannot_be_wrapped) {
    char line[20] = "";
    portls_input_port *in = NULL, *other_in = NULL, *ssl_in = NULL;
    portls_output_port *out = NULL, *other_out = NULL, *ssl_out = NULL;
    FILE *fin = NULL;
    FILE *fout = NULL;
    portls_wrap_options options = PORTLS_WRAP_OPTIONS_INIT;
    options.mode = PORTLS_MODE_CONNECT;
    REQUIRE_OK(portls_make_pipe(1000, &in, &other_out, &problem));
    REQUIRE_OK(portls_make_pipe(1000, &other_in, &out, &problem));
    REQUIRE_OK(portls_write(other_out, "first\nsecond\n", 13, NULL, &problem));
    REQUIRE_OK(portls_fopen_ports(in, NULL, &fin, NULL, &problem));
    cr_assert_not_null(fgets(line, sizeof line, fin));
    cr_assert_str_eq(line, "first\n");
    REQUIRE_FAILURE(portls_wrap_ports_avail(in, out, &options, &ssl_in, &ssl_out, &problem),
                    PORTLS_IN_USE, "the input port: the input port belongs to a FILE");
    REQUIRE_OK(portls_fopen_ports(NULL, out, NULL, &fout, &problem));
    cr_assert_gt(fprintf(fout, "clear"), 0);
    REQUIRE_FAILURE(portls_wrap_ports_avail(other_in, out, &options, &ssl_in, &ssl_out, &problem),
                    PORTLS_IN_USE, "the output port: the output port belongs to a FILE");
    FILE *second = NULL;
    REQUIRE_FAILURE(portls_fopen_ports(NULL, out, NULL, &second, &problem), PORTLS_IN_USE,
                    "the port belongs to a FILE");
    cr_assert_null(second);
    /* All is as it was. */
    cr_assert_not_null(fgets(line, sizeof line, fin));
    cr_assert_str_eq(line, "second\n");
    cr_assert_eq(fclose(fout), 0);
    size_t got = 0;
    REQUIRE_OK(portls_read(other_in, line, sizeof line, &got, &problem));
    cr_assert_eq(got, 5);
    cr_assert_eq(fclose(fin), 0);
    REQUIRE_OK(portls_close_ports(other_in, other_out, &problem));
}

SPEC(stdio, the_capability_says_that_there_are_streams) {
    cr_assert(spec_can(PORTLS_CAN_STDIO));
}
