/* What the suite asks of the place it runs in: spec_posix.c, or spec_board.c where there is no
   operating system. */
#ifndef SPEC_PLACE_H
#define SPEC_PLACE_H

#include <stddef.h>

/* What a test has to leave as it found it: descriptors that are open, or bytes of the heap. */
extern const char *const place_holds;

/* Called once, before a test: what is made once for the process is made now. */
void place_begin(void);

/* How many of them are held at the moment. */
long place_count(void);

/* A file with this content that lasts to the end of the test; place_end removes it. */
const char *place_file(const void *bytes, size_t size);
void place_end(void);

/* Lets others run while a test asks again and again. */
void place_yield(void);

#endif
