/* A write and a read through memory: for counting instructions, in one process. */
#include "bench/work.h"

static void pipe_both(struct side *side) {
    struct talk *server = NULL;
    struct talk *client = NULL;
    if (side->way->pair == NULL) {
        die("pipe: the way %s has none", side->way->name);
    }
    side->way->pair(&side->setups[0], &side->setups[1], &server, &client);
    warm_up_pair(side, server, client);
    begin(side);
    for (long i = 0; i < side->options->count; i++) {
        side->way->write(client, side->pattern, side->options->size);
        read_all(side, server, side->options->size);
    }
    end(side);
}

const struct work pipe_work = {
    .name = "pipe",
    .text = "`count` writes of `size` bytes through memory, each read before the next",
    .client = pipe_both,
    .size = 1024,
    .count = 1000,
};
