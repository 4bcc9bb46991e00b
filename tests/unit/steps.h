/*
 * A test that breaks, or lets the deadline pass, at every single step of an operation: each call by
 * which the core asks the system, the clock or a port below for something is a step, and what is to
 * happen happens right before or right after it. The linker puts the functions of steps.c in place
 * of the system's. The peer lives in the same thread and moves when the core waits, so that every
 * run is like the one before.
 */
#ifndef UNIT_STEPS_H
#define UNIT_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "portls/portls.h"

/* An operation and its surroundings; `argument` of for_each_step goes to each. */
struct operation {
    void (*prepare)(const void *argument); /* before the first try; allocates what finish frees */
    /* Tries it under a limit. What failed is tried once more without one, and has to succeed then.
     */
    portls_status (*attempt)(portls_deadline deadline, portls_break *brk);
    void (*after_limit)(void); /* checks what a try leaves that was given up, and makes ready for
                                  the next; may be NULL */
    void (*peer)(void);        /* moves the other side on, without waiting */
    void (*finish)(void);      /* checks what came of it and frees everything */
};

/*
 * Runs the operation once for each of its steps and each way to end it there. Checks that it comes
 * either to PORTLS_OK or to PORTLS_BREAK or PORTLS_DEADLINE, as it should, and that no descriptor,
 * no thread and no memory is left. `most`: more than twice its steps.
 */
void for_each_step(const struct operation *operation, const void *argument, int most);

/* For callbacks of a port: a step around each, and the peer's turn when it waits. */
void step_begin(void);
void step_end(void);
void let_peer_move(void);

#endif
